import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Demo } from '../../support/demo.ts'

let demo: Demo
beforeAll(async () => {
  demo = await new Demo().start()
})
afterAll(() => demo.stop())

// The same answer each time but for its id and date, which are as long each time.
const short = { max_tokens: 12 }

async function bodyOf(directives: string, body: object = short): Promise<Buffer> {
  const exchange = demo.raw(directives, body)
  await exchange.ended
  return exchange.body
}

/** The data of events, as a reader that follows the standard understands the bytes. */
function dataOf(body: Buffer): string[] {
  const data: string[] = []
  const parser = createParser({ onEvent: event => data.push(event.data) })
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for (const byte of body) parser.feed(decoder.decode(Uint8Array.of(byte), { stream: true }))
  return data.map(text => (text === '[DONE]' ? text : JSON.stringify(JSON.parse(text).choices)))
}

describe('a connection that breaks', () => {
  it.each([
    ['drop', 'reset', false],
    ['cut', 'fin', false],
    ['end', 'fin', true],
  ] as const)('with %s does so after exactly so many bytes of body', async (name, how, hasLastChunk) => {
    const whole = await bodyOf('')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async at => {
        const exchange = demo.raw(`${name}=${at}`, short)
        expect(await exchange.ended).toBe(how)
        expect(exchange.head).toMatch(/^HTTP\/1.1 200 OK\r\n/)
        expect(exchange.body.length).toBe(at)
        expect(exchange.hasLastChunk).toBe(hasLastChunk)
      }),
      { numRuns: 12 },
    )
  })

  it('breaks whole answers, lists of models and lines of JSON, too', async () => {
    const whole = demo.raw('drop=20', { stream: false })
    expect(await whole.ended).toBe('reset')
    expect([whole.body.length, whole.head.includes('content-length')]).toEqual([20, false])
    const list = demo.raw('cut=9', {}, { method: 'GET', path: '/v1/models' })
    expect(await list.ended).toBe('fin')
    expect(list.body.length).toBe(9)
    const lines = demo.raw('drop=33', { model: 'tokenscope-demo' }, { path: '/ollama/api/chat' })
    expect(await lines.ended).toBe('reset')
    expect([lines.body.length, lines.head.includes('ndjson')]).toEqual([33, true])
  })

  it('stops the generation', async () => {
    for (const name of ['drop', 'cut', 'end']) {
      const exchange = demo.raw(`${name}=900,tokens=1000000`)
      await exchange.ended
      exchange.close()
      while (demo.server.active > 0) await setImmediate()
    }
  })

  it('is not there when the answer ends before', async () => {
    const exchange = demo.raw('drop=100000', short)
    expect(await exchange.ended).toBe('fin')
    expect(exchange.hasLastChunk).toBe(true)
  })
})

describe('the bytes of a stream', () => {
  it('end lines with CR LF or with CR, and mean the same', async () => {
    const plain = await bodyOf('')
    for (const [directive, end] of [
      ['crlf', '\r\n'],
      ['cr', '\r'],
    ] as const) {
      const body = await bodyOf(directive)
      const text = body.toString()
      expect(text.replaceAll(end, '')).not.toMatch(/[\r\n]/)
      expect(text.endsWith(`data: [DONE]${end}${end}`)).toBe(true)
      expect(text.split(end).length).toBe(plain.toString().split('\n').length)
      expect(dataOf(body)).toEqual(dataOf(plain))
    }
  })

  it('begin with one byte order mark', async () => {
    const body = await bodyOf('bom')
    expect([...body.subarray(0, 9)]).toEqual([0xef, 0xbb, 0xbf, ...Buffer.from('data: ')])
    expect(body.indexOf('\ufeff', 3)).toBe(-1)
  })

  it('come at most so many at a time, and mean the same however they are split', async () => {
    const plain = dataOf(await bodyOf(''))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async size => {
        const exchange = demo.raw(`split=${size}`, { max_tokens: 12 })
        await exchange.ended
        const sizes = exchange.chunks.map(({ length }) => length)
        expect(Math.max(...sizes)).toBeLessThanOrEqual(size)
        expect(dataOf(exchange.body)).toEqual(plain)
      }),
      { numRuns: 10 },
    )
  })

  it('end each write inside a character, wherever there is one', async () => {
    const text = 'Käuzchen 🦉 rief – öfter. 漢字'
    const exchange = demo.raw(`split-utf8,say=${encodeURIComponent(text)}`)
    await exchange.ended
    const { chunks } = exchange
    // A write that ends in a lead byte, and the next that goes on with the rest of the character.
    const inside = chunks.filter(chunk => (chunk.at(-1) as number) >= 0xc0)
    expect(inside.length).toBe([...text].filter(char => Buffer.byteLength(char) > 1).length)
    for (const [i, chunk] of chunks.entries()) {
      if ((chunk.at(-1) as number) >= 0xc0) expect((chunks[i + 1]?.[0] as number) & 0xc0).toBe(0x80)
      expect(chunk.subarray(0, -1).every(byte => byte < 0xc0)).toBe(true)
    }
    const said = dataOf(exchange.body)
      .filter(data => data !== '[DONE]')
      .map(data => JSON.parse(data)[0].delta.content ?? '')
    expect(said.join('')).toBe(text)
  })
})

/** What comes of a connection to a port: the error's code if none. */
async function tryPort(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return 'connected'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    socket.destroy()
  }
}

describe('a server that is not there', () => {
  it('resets, and refuses until it is stopped', async () => {
    const one = await new Demo().start()
    const exchange = one.raw('refuse=forever')
    expect(await exchange.ended).toBe('reset')
    expect(exchange.received.length).toBe(0)
    expect(await tryPort(one.url)).toBe('ECONNREFUSED')
    await one.stop()
    expect(await tryPort(one.url)).toBe('ECONNREFUSED')
  })

  it('listens again on the same port after a while', async () => {
    const one = await new Demo().start()
    for (let round = 0; round < 2; round++) {
      expect(await one.raw('refuse=20ms').ended).toBe('reset')
      while ((await tryPort(one.url)) !== 'connected') await setImmediate()
      const answer = await one.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] })
      expect(answer.status).toBe(200)
      await answer.text()
    }
    await one.stop()
  })

  it('lets answers under way go on', async () => {
    const one = await new Demo({ tokensPerSecond: 200 }).start()
    const running = one.raw('tokens=40')
    await running.until(({ head }) => head !== '')
    await one.raw('refuse=1ms').ended
    expect(await running.ended).toBe('fin')
    expect(running.body.toString()).toMatch(/\[DONE\]\n\n$/)
    await one.stop()
  })
})

it.each(['drop=0', 'cut=0'])('%s breaks a connection that another answer has before it', async directive => {
  const socket = connect(Number(new URL(demo.url).port), '127.0.0.1').resume()
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], ...short, stream: true })
  for (const one of ['rate=50', directive]) {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: demo\r\nx-demo: ${one}`
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  }
  socket.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', () => resolve())
  await promise
})
