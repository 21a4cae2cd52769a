// PNG files with a palette: much smaller than those with a colour for each pixel.

import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const MOST_COLOURS = 256
const PALETTE = 3

/** The channels of a colour that is one number. */
const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]

function distance(a, b) {
  const red = (a >> 16) - (b >> 16)
  const green = ((a >> 8) & 255) - ((b >> 8) & 255)
  const blue = (a & 255) - (b & 255)
  return red * red + green * green + blue * blue
}

/** The colours of a picture, one number for each pixel. */
function colours({ width, height, data }) {
  const found = new Uint32Array(width * height)
  for (let pixel = 0; pixel < found.length; pixel += 1) found[pixel] = data.readUInt32BE(pixel * 4) >>> 8
  return found
}

/**
 * The colours to keep, and the place of each colour in them: its own, or that of the nearest. A
 * rare colour is kept if no kept one is near it, such as that of a short text in red.
 */
function palette(pixels) {
  const counts = new Map()
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  const left = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  const others = left.map(([colour, count]) => ({ colour, weight: Math.sqrt(count), gap: Infinity, nearest: 0 }))
  const kept = []
  for (let next = others[0]; next && kept.length < MOST_COLOURS; ) {
    const last = next
    kept.push(last.colour)
    next = undefined
    for (const one of others) {
      const gap = distance(one.colour, last.colour)
      if (gap < one.gap) Object.assign(one, { gap, nearest: last.colour })
      if (one.gap > 0 && (!next || one.weight * one.gap > next.weight * next.gap)) next = one
    }
  }
  kept.sort((a, b) => a - b)
  const places = new Map(kept.map((colour, place) => [colour, place]))
  for (const { colour, nearest } of others) places.set(colour, places.get(nearest))
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
 * The file of a picture, with 256 of its colours. The others, at the edges of letters, become the
 * nearest of these.
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
