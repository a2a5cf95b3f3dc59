import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Exchange } from '../../bridge/exchange.ts'
import { Tap } from '../../bridge/tap.ts'
import type { GenerationError } from '../../events/generation.ts'

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
  return { tap: new Tap(exchange as unknown as Exchange), heard }
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
