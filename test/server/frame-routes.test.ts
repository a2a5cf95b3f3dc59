import { createCanvas, loadImage } from '@napi-rs/canvas'
import { describe, expect, it, test, vi } from 'vitest'
import { send, textOf } from '../support/app.ts'
import { useStage } from '../support/stage.ts'

describe('pictures of a whole server', () => {
  const stage = useStage()

  /** A picture, with everything about it that an answer with one has. */
  async function picture(path: string) {
    const response = await fetch(`${stage.url}/scope/v1${path}`)
    const { status, headers } = response
    const body = Buffer.from(await response.arrayBuffer())
    expect([status, status === 200 ? '' : body.toString()]).toEqual([200, ''])
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual(['image/png', 'no-store'])
    expect(headers.get('x-correlation-id')).not.toBeNull()
    const image = await loadImage(body)
    const context = createCanvas(image.width, image.height).getContext('2d')
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, image.width, image.height)
    return { width: image.width, height: image.height, data: Buffer.from(data.buffer), headers }
  }

  /** How many different colours it has: of one in which nothing is, one. */
  function coloursOf({ data }: { data: Buffer }): number {
    return new Set(new Uint32Array(data.buffer, data.byteOffset, data.length / 4)).size
  }

  async function refusal(path: string) {
    const response = await fetch(`${stage.url}/scope/v1${path}`)
    return { status: response.status, ...(await response.json()) }
  }

  async function generate(): Promise<string> {
    const { last } = await stage.take('tokens=60', { logprobs: true })
    return last.generation
  }

  test('show every layout in every colour, as large as is asked for', async () => {
    await generate()
    const plain = await picture('/frame.png')
    expect([plain.width, plain.height]).toEqual([1600, 900])
    expect(coloursOf(plain)).toBeGreaterThan(2)
    for (const layout of ['map', 'flow', 'timeline']) {
      for (const color of ['confidence', 'entropy', 'interval', 'kind', 'model', 'age']) {
        const one = await picture(`/frame.png?layout=${layout}&color=${color}&w=320&h=200`)
        expect([one.width, one.height]).toEqual([320, 200])
        expect([layout, color, coloursOf(one) > 2]).toEqual([layout, color, true])
      }
    }
  })

  test('differ by theme, scale, place and filter', async () => {
    const generation = await generate()
    const at = '/frame.png?w=300&h=200&layout=flow'
    const plain = await picture(at)
    for (const more of [
      'theme=light',
      'scale=viridis',
      'x=1e6&y=1e6&zoom=1',
      'kind=tool_call',
      't=1',
      'model=nobody',
    ]) {
      expect([more, Buffer.compare((await picture(`${at}&${more}`)).data, plain.data)]).not.toEqual([more, 0])
    }
    const only = await picture(`${at}&generation=${generation}&generation=g_other&kind=message`)
    expect(coloursOf(only)).toBeGreaterThan(2)
  })

  test('have what came within a time', async () => {
    await generate()
    const now = Date.now() / 1000
    const at = '/frame.png?w=300&h=200&layout=map&x=0&y=0&zoom=8'
    const plain = await picture(at)
    for (const [filter, shows] of [
      [`since=${now - 3600}`, true],
      [`until=${now + 3600}`, true],
      [`since=${now - 3600}&until=${now + 3600}`, true],
      [`since=${now + 3600}`, false],
      [`until=${now - 3600}`, false],
    ] as const) {
      const one = await picture(`${at}&${filter}`)
      expect([filter, one.data.equals(plain.data)]).toEqual([filter, shows])
    }
  })

  test('of one generation have it alone, under its name', async () => {
    const generation = await generate()
    await generate()
    const one = await picture(`/generations/${generation}/export?format=png`)
    expect([one.width, one.height]).toEqual([1600, 900])
    expect(one.headers.get('content-disposition')).toBe(`attachment; filename="${generation}.png"`)
    expect(coloursOf(one)).toBeGreaterThan(2)
    const map = await picture(`/generations/${generation}/export?format=png&layout=map&w=64&h=64`)
    expect(map.width).toBe(64)
  })

  test('of a generation that nobody knows are not found', async () => {
    expect(await refusal('/generations/g_nobody/export?format=png')).toMatchObject({
      status: 404,
      success: false,
      error: 'There are no tokens of a generation g_nobody.',
      error_code: 'NOT_FOUND',
      correlation_id: expect.any(String),
    })
  })

  test.each([
    ['/frame.png?layout=globe', 'layout', '"globe"', 'one of map, flow, timeline'],
    ['/frame.png?layout=', 'layout', '""', 'one of map, flow, timeline'],
    ['/frame.png?layout=toString', 'layout', '"toString"', 'one of map, flow, timeline'],
    ['/frame.png?layout=map&layout=flow', 'layout', '["map","flow"]', 'one of map, flow, timeline'],
    ['/frame.png?color=smell', 'color', '"smell"', 'one of confidence, entropy, interval, kind, model, age'],
    ['/frame.png?theme=grey', 'theme', '"grey"', 'one of dark, light'],
    ['/frame.png?scale=jet', 'scale', '"jet"', 'one of cividis, viridis'],
    ['/frame.png?x=left', 'x', '"left"', 'a number'],
    ['/frame.png?y=NaN', 'y', '"NaN"', 'a number'],
    ['/frame.png?t=', 't', '""', 'a number'],
    ['/frame.png?zoom=0', 'zoom', '"0"', 'a number from 1e-12 to 1e6'],
    ['/frame.png?zoom=-1', 'zoom', '"-1"', 'a number from 1e-12 to 1e6'],
    ['/frame.png?zoom_y=1e9', 'zoom_y', '"1e9"', 'a number from 1e-12 to 1e6'],
    ['/frame.png?w=0', 'w', '"0"', 'a whole number from 1 to 8192'],
    ['/frame.png?h=8193', 'h', '"8193"', 'a whole number from 1 to 8192'],
    ['/frame.png?w=1.5', 'w', '"1.5"', 'a whole number from 1 to 8192'],
    ['/frame.png?kind=joke', 'kind', '"joke"', 'one of message, reasoning, tool_call'],
    ['/frame.png?model=', 'model', '""', 'a name'],
    ['/generations/g_a/export', 'format', 'missing', 'one of jsonl, csv, txt, png'],
    ['/generations/g_a/export?format=pdf', 'format', '"pdf"', 'one of jsonl, csv, txt, png'],
    ['/generations/g_a/export?format=png&w=x', 'w', '"x"', 'a whole number from 1 to 8192'],
  ])('are refused for %s', async (path, name, given, words) => {
    expect(await refusal(path)).toMatchObject({
      status: 400,
      error_code: 'BAD_REQUEST',
      error: `"${name}" is ${given}; it must be ${words}.`,
    })
  })

  test('are refused if they are too large as a whole', async () => {
    expect(await refusal('/frame.png?w=8192&h=8192')).toMatchObject({
      status: 400,
      error: 'A picture of 8192 by 8192 pixels is too large; it may have 33554432 of them.',
    })
    const large = await picture('/frame.png?w=8192&h=512')
    expect([large.width, large.height]).toEqual([8192, 512])
  })

  test('asked for by too many at once are refused to the last of them, and drawn for the others', async () => {
    await generate()
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => fetch(`${stage.url}/scope/v1/frame.png?w=${1000 + i}&h=500`)),
    )
    const refused = answers.filter(({ status }) => status === 503)
    expect(answers.filter(({ status }) => status === 200).length).toBe(24 - refused.length)
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused) {
      expect(answer.headers.get('retry-after')).toBe('2')
      expect(await answer.json()).toMatchObject({ error_code: 'POOL_FULL' })
    }
    for (const answer of answers) if (answer.status === 200) await answer.arrayBuffer()
  })

  test('that nobody waits for any more leave their place to others', async () => {
    await generate()
    const gone = new AbortController()
    const left = Array.from({ length: 20 }, (_, i) =>
      fetch(`${stage.url}/scope/v1/frame.png?w=${2000 + i}&h=1000`, { signal: gone.signal }),
    )
    setImmediate(() => gone.abort())
    expect((await Promise.allSettled(left)).map(({ status }) => status)).toEqual(Array(20).fill('rejected'))
    // The server hears of it a moment later.
    await vi.waitFor(async () => expect((await picture('/frame.png?w=123&h=100')).width).toBe(123), {
      interval: 1,
      timeout: 20_000,
    })
  })

  it.each(['/scope/v1/frame.png', '/scope/v1/generations/g_a/export?format=png'])(
    'has the doors of every path before %s',
    async path => {
      const asks: [Record<string, string>, number, string][] = [
        [{ host: 'elsewhere.example' }, 421, 'WRONG_HOST'],
        [{ origin: 'https://elsewhere.example' }, 403, 'FORBIDDEN_ORIGIN'],
        [{ 'sec-fetch-site': 'cross-site' }, 403, 'FORBIDDEN_ORIGIN'],
      ]
      for (const [headers, status, code] of asks) {
        const answer = await send(stage.url, { method: 'GET', path, headers })
        expect([answer.statusCode, JSON.parse(await textOf(answer)).error_code]).toEqual([status, code])
      }
    },
  )
})
