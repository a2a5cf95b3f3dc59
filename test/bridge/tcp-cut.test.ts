import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tokenscope } from '../../main.ts'
import { received, send, textOf } from '../support/app.ts'
import { readChat } from '../support/chat-answer.ts'
import { CHAT, Demo } from '../support/demo.ts'
import { rounds } from '../support/rounds.ts'
import { startScope } from '../support/scope.ts'
import { Spectator } from '../support/spectator.ts'

const SAID = `fixed,say=${encodeURIComponent('One é, 四')}`

/** A way to a server on which the answers to POSTs are cut after so many bytes, head and framing included. */
class CutWay {
  /** Bytes that come through; the rest of the connection is lost. */
  after = Number.POSITIVE_INFINITY
  /** A closed connection, or a reset one. */
  how: 'fin' | 'rst' = 'fin'
  /** What the server wrote last on a connection with a POST. */
  written = Buffer.alloc(0)
  readonly #server: Server

  constructor(target: URL) {
    this.#server = createServer(near => {
      const far = connect(Number(target.port), target.hostname)
      let isPost = false
      near.on('data', (chunk: Buffer) => {
        if (chunk.subarray(0, 5).toString() === 'POST ') {
          isPost = true
          this.written = Buffer.alloc(0)
        }
        far.write(chunk)
      })
      far.on('data', (chunk: Buffer) => {
        if (!isPost) near.write(chunk)
        else this.#pass(chunk, near, far)
      })
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }

  #pass(chunk: Buffer, near: Socket, far: Socket): void {
    const left = this.after - this.written.length
    const passed = chunk.subarray(0, Math.max(0, left))
    this.written = Buffer.concat([this.written, passed])
    if (left > chunk.length) {
      near.write(passed)
      return
    }
    far.pause()
    if (this.how === 'fin') near.end(passed)
    // What is still on its way when a connection is reset is lost with it.
    else near.write(passed, () => near.resetAndDestroy())
  }
}

let demo: Demo
let way: CutWay
let scope: Tokenscope
let viewer: Spectator
beforeAll(async () => {
  demo = await new Demo({ kind: 'llamacpp' }).start()
  way = new CutWay(new URL(demo.url))
  scope = await startScope({ upstreams: [await way.listen()] })
})
afterAll(async () => {
  await scope.stop()
  way.close()
  await demo.stop()
})
beforeEach(async () => {
  way.after = Number.POSITIVE_INFINITY
  viewer = await Spectator.watch(scope.url)
})
afterEach(() => viewer.close())

const ask = () =>
  send(scope.url, { headers: { 'content-type': 'application/json', 'x-demo': SAID }, body: CHAT })

/** The body in the bytes of an answer as far as it came, and whether its framing says that it is whole. */
function bodyOf(bytes: Buffer): { head: boolean; body: Buffer; whole: boolean } {
  const at = bytes.indexOf('\r\n\r\n')
  if (at < 0) return { head: false, body: Buffer.alloc(0), whole: false }
  const parts: Buffer[] = []
  let from = at + 4
  for (;;) {
    const end = bytes.indexOf('\r\n', from)
    if (end < 0) return { head: true, body: Buffer.concat(parts), whole: false }
    const size = Number.parseInt(bytes.subarray(from, end).toString(), 16)
    if (size === 0) return { head: true, body: Buffer.concat(parts), whole: bytes.length >= end + 4 }
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    from = end + 2 + size + 2
  }
}

describe.each(['fin', 'rst'] as const)('a connection that is cut by %s', how => {
  test('at any of its bytes, head and framing included, is told for what it is', async () => {
    way.how = how
    await textOf(await ask())
    await viewer.end()
    const all = way.written
    expect(bodyOf(all)).toMatchObject({ head: true, whole: true })
    const total = rounds(all.length)
    for (let round = 0; round < total; round++) {
      way.after = 1 + Math.floor((round * all.length) / total)
      const context = `${how} after ${way.after} of ${all.length}`
      const answer = await ask()
      const { body, complete } = await received(answer)
      const last = await viewer.end(round + 1)
      const { head, body: sent, whole } = bodyOf(way.written)
      const isFinished = (bytes: Buffer) => readChat(bytes).choices[0]?.finish === 'stop'
      // Nothing that was not written, and of what was written all, if the connection was not reset.
      expect([context, sent.subarray(0, body.length).equals(body) || !head]).toEqual([context, true])
      if (how === 'fin' && head) expect([context, body.equals(sent)]).toEqual([context, true])
      if (!head) expect([context, answer.statusCode, last.state]).toEqual([context, 502, 'failed'])
      else if (answer.statusCode === 200) {
        expect([context, complete]).toEqual([context, whole && complete])
        expect([context, last.state]).toEqual([context, isFinished(body) ? 'done' : 'interrupted'])
        const text = readChat(body).choices[0]?.text ?? ''
        expect([context, viewer.textOf(last.generation)]).toEqual([context, text])
      }
      if (how === 'fin' && whole) expect([context, complete]).toEqual([context, true])
    }
    way.after = Number.POSITIVE_INFINITY
    expect((await ask()).statusCode).toBe(200)
  })
})
