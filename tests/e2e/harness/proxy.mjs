// nginx in front of a server, as most deployments have it: TLS outside, plain http inside.

import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Background, freePort, run } from './process.mjs'

const NGINX = '/usr/sbin/nginx'

/** What keeps an nginx in the foreground. */
const FOREGROUND = 'daemon off; master_process off; error_log stderr;'

/** The settings that keep its files in `dir`. */
const ownFiles = (dir) => `
    access_log off;
    client_body_temp_path ${dir}/nginx-body;
    proxy_temp_path ${dir}/nginx-proxy;
    fastcgi_temp_path ${dir}/nginx-fastcgi;
    uwsgi_temp_path ${dir}/nginx-uwsgi;
    scgi_temp_path ${dir}/nginx-scgi;`

const configuration = (dir, port, upstream) => `
pid nginx.pid;
events {}
http {
    server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${dir}/certificate.pem;
        ssl_certificate_key ${dir}/key.pem;
        location / {
            proxy_pass ${upstream};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
    }
}
`

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })

/** Starts an nginx with a configuration that listens on `port`. It keeps its files in `dir`. */
export async function startNginx(dir, port, text) {
  await writeFile(join(dir, 'nginx.conf'), text.replace('\nhttp {', `\nhttp {${ownFiles(dir)}`))
  const nginx = new Background(NGINX, ['-p', dir, '-e', 'stderr', '-g', FOREGROUND, '-c', join(dir, 'nginx.conf')])
  await nginx.ready(() => isListening(port))
  return nginx
}

/** Starts a proxy that keeps its files in `dir`. */
export async function startProxy(dir, upstream) {
  const port = await freePort()
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(dir, 'key.pem')]
  await run('openssl', ['req', '-x509', '-days', '1', ...subject, ...key, '-out', join(dir, 'certificate.pem')])
  const nginx = await startNginx(dir, port, configuration(dir, port, upstream))
  return { url: `https://127.0.0.1:${port}`, stop: () => nginx.stop() }
}
