import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'vite'

const HERE = import.meta.dirname
const FONT = join(
  HERE,
  '../../node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2',
)

const PAGE = `<!doctype html><meta charset="utf-8"><title>views</title><style>@font-face {
  font-family: "JetBrains Mono Variable"; font-weight: 100 800; src: url("/font.woff2") format("woff2-variations");
}</style><script src="/view-page.js"></script>`

/** Serves a page on loopback, a secure context, that draws views: see view-page.ts. */
export async function serveViewPage(): Promise<{ url: string; stop: () => Promise<void> }> {
  const script = await bundle()
  const answers: Record<string, [type: string, body: string | Buffer]> = {
    '/': ['text/html', PAGE],
    '/view-page.js': ['text/javascript', script],
    '/font.woff2': ['font/woff2', readFileSync(FONT)],
  }
  const server: Server = createServer((request, response) => {
    const [type, body] = answers[request.url ?? ''] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  }
}

/** The script of the page, with all that it imports. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: HERE,
    build: {
      write: false,
      minify: false,
      lib: { entry: join(HERE, 'view-page.ts'), formats: ['iife'], name: 'view', fileName: 'view-page' },
    },
  })
  const [first] = Array.isArray(built) ? built : [built]
  const chunk = (first as { output: { type: string; code?: string }[] }).output.find(
    ({ type }) => type === 'chunk',
  )
  if (chunk?.code === undefined) throw new Error('the script of the page was not built')
  return chunk.code
}
