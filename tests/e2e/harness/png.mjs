// PNG files with a palette: much smaller than those with a colour for each pixel.

import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const MOST_COLOURS = 256
const PALETTE = 3

/** The channels of a colour that is one number. */
const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]

function distance(a, b) {
  const [one, other] = [channels(a), channels(b)]
  return one.reduce((sum, value, channel) => sum + (value - other[channel]) ** 2, 0)
}

/** The colours of a picture, one number for each pixel. */
function colours({ width, height, data }) {
  const found = new Uint32Array(width * height)
  for (let pixel = 0; pixel < found.length; pixel += 1) found[pixel] = data.readUInt32BE(pixel * 4) >>> 8
  return found
}

/** The most frequent colours, and the place of each colour in them: its own, or that of the nearest. */
function palette(pixels) {
  const counts = new Map()
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  const byCount = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a) || a - b)
  const kept = byCount.slice(0, MOST_COLOURS).sort((a, b) => a - b)
  const nearest = (colour) => kept.reduce((best, one) => (distance(one, colour) < distance(best, colour) ? one : best))
  const places = new Map(kept.map((colour, place) => [colour, place]))
  for (const colour of byCount.slice(MOST_COLOURS)) places.set(colour, places.get(nearest(colour)))
  return { kept, places }
}

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, check])
}

/**
 * The file of a picture, with its most frequent 256 colours as they are. The others, at the edges
 * of letters, become the nearest of these.
 */
export function encode(picture) {
  const { width, height } = picture
  const pixels = colours(picture)
  const { kept, places } = palette(pixels)
  // Each line begins with its filter, which is none: neighbours in a palette are not alike.
  const lines = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) lines[y * (width + 1) + 1 + x] = places.get(pixels[y * width + x])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, PALETTE], 8)
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(kept.flatMap(channels))),
    chunk('IDAT', deflateSync(lines, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
