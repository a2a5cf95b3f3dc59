import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Endpoint, endpointOf } from '../../bridge/dialects/index.ts'
import { Exchange } from '../../bridge/exchange.ts'
import { Tap } from '../../bridge/tap.ts'
import type { GenerationError, GenerationEvent } from '../../events/generation.ts'
import { RecordingMeter } from '../support/hub-meter.ts'

function listened(): { tap: Tap; heard: string[] } {
  const heard: string[] = []
  const exchange = {
    announce: () => {
      if (heard.length === 0) heard.push('announced')
    },
    head: (status: number) => heard.push(`head ${status}`),
    bytes: (chunk: Buffer, readAt: number) => heard.push(`${chunk} at ${readAt}`),
    end: () => heard.push('end'),
    broken: () => heard.push('broken'),
  }
  return { tap: new Tap(exchange as unknown as Exchange, () => heard.push('fault')), heard }
}

test('what comes in a turn is read at its end, in order, with the times at which it came', async () => {
  const { tap, heard } = listened()
  tap.head(200, null, 1)
  tap.bytes(Buffer.from('a'), 2)
  tap.bytes(Buffer.from('b'), 3)
  tap.end(4, () => heard.push('over'))
  expect(heard).toEqual([])
  await turn()
  expect(heard).toEqual(['announced', 'head 200', 'a at 2', 'b at 3', 'end', 'over'])
})

test('a break is told after all that came before it, at once', async () => {
  const { tap, heard } = listened()
  tap.bytes(Buffer.from('a'), 1)
  tap.broken({} as GenerationError, 2)
  expect(heard).toEqual(['announced', 'a at 1', 'broken'])
  await turn()
  expect(heard).toHaveLength(3)
})

test('who needs it now gets it now, once', async () => {
  const { tap, heard } = listened()
  tap.bytes(Buffer.from('a'), 1)
  tap.flush()
  expect(heard).toEqual(['announced', 'a at 1'])
  tap.flush()
  tap.bytes(Buffer.from('b'), 2)
  await turn()
  expect(heard).toEqual(['announced', 'a at 1', 'b at 2'])
})

test('more than a mebibyte does not wait', () => {
  const { tap, heard } = listened()
  const half = Buffer.alloc(512 * 1024, 'x')
  tap.bytes(half, 1)
  tap.bytes(half, 2)
  expect(heard).toHaveLength(0)
  tap.bytes(Buffer.from('!'), 3)
  expect(heard).toHaveLength(4)
})

test('a fault in reading is told, and neither the rest nor the end is lost with it', async () => {
  const heard: string[] = []
  const exchange = {
    announce: () => {},
    bytes: () => {
      throw new Error('no')
    },
    end: () => {
      throw new Error('neither')
    },
    broken: () => {
      throw new Error('nor that')
    },
    giveUp: (why: string) => heard.push(why),
  } as unknown as Exchange
  const faults: unknown[] = []
  const tap = new Tap(exchange, fault => faults.push(fault))
  tap.bytes(Buffer.from('a'), 1)
  tap.end(2, () => heard.push('over'))
  await turn()
  expect(heard).toEqual(['no', 'over', 'neither'])
  tap.broken({} as GenerationError, 3)
  expect(faults).toHaveLength(3)
})

test('a generation that could not be followed is failed, and says whose fault it was', async () => {
  const told: GenerationEvent[] = []
  const endpoint = endpointOf('POST', '/v1/chat/completions') as Endpoint
  const exchange = new Exchange({
    endpoint,
    facts: endpoint.request.request({ stream: true }),
    upstream: 'u',
    startedAt: 0,
    isQuiet: true,
    meter: new RecordingMeter(),
    modelLabel: () => 'other',
    emit: event => {
      if (event.type === 'token_activation' && event.index === 1) throw new Error('the log is full')
      told.push(event)
    },
  })
  const faults: unknown[] = []
  const tap = new Tap(exchange, fault => faults.push(fault))
  tap.head(200, 'text/event-stream', 1)
  for (const content of ['a', 'b', 'c']) {
    const delta = { choices: [{ index: 0, delta: { content }, finish_reason: null }] }
    tap.bytes(Buffer.from(`data: ${JSON.stringify(delta)}\n\n`), 2)
  }
  const over = new Promise<void>(resolve => tap.end(3, resolve))
  await over
  expect(faults).toHaveLength(1)
  expect(told.filter(({ type }) => type === 'token_activation')).toHaveLength(1)
  expect(told.at(-1)).toMatchObject({
    state: 'failed',
    error: { kind: 'unknown', code: 'INTERNAL', message: expect.stringContaining('the log is full') },
  })
})
