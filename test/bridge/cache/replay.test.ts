import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joined, type KeptAnswer } from '../../../bridge/cache/kept-answer.ts'
import { Replay } from '../../../bridge/cache/replay.ts'
import type { AnswerListener } from '../../../bridge/transport.ts'

function answerOf(pieces: readonly Buffer[]): KeptAnswer {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const head = { status: 200, statusText: 'OK', headers: [] }
  return { head, ...joined(pieces, bytes), upstream: 'a', storedAt: 0 }
}

/** Plays an answer to a listener that asks for a pause after the pieces numbered in `pauses`. */
async function played(answer: KeptAnswer, pauses: ReadonlySet<number>) {
  const pieces: Buffer[] = []
  const said: string[] = []
  let waiting = false
  let early = 0
  const listener: AnswerListener = {
    head: () => void said.push('head'),
    chunk: bytes => {
      if (waiting) early++
      pieces.push(Buffer.from(bytes))
      waiting = pauses.has(pieces.length - 1)
      return !waiting
    },
    end: () => void said.push('end'),
    broken: () => void said.push('broken'),
  }
  const replay = new Replay({ answer, listener, signal: new AbortController().signal })
  expect(said).toEqual([])
  while (!said.includes('end')) {
    await turn()
    if (!waiting) continue
    const before = pieces.length
    await turn()
    expect(pieces).toHaveLength(before)
    waiting = false
    replay.resume()
    // Resumed again it does not go on twice.
    replay.resume()
  }
  return { pieces, said, early }
}

test('any pieces come as they were, in order, and none while the listener waits', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.uniqueArray(fc.nat(59)), async (lengths, pauses) => {
      const original = lengths.map((length, i) => Buffer.alloc(length, i))
      const { pieces, said, early } = await played(answerOf(original), new Set(pauses))
      expect(pieces.length).toBe(original.length)
      expect(pieces.every((piece, i) => piece.equals(original[i] as Buffer))).toBe(true)
      expect(said).toEqual(['head', 'end'])
      expect(early).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('a long answer lets others have their turns', async () => {
  const answer = answerOf(Array.from({ length: 1000 }, () => Buffer.from('data: x\n\n')))
  let told = 0
  let over = false
  const most: number[] = []
  const listener: AnswerListener = {
    head: () => {},
    chunk: () => {
      told++
      return true
    },
    end: () => {
      over = true
    },
    broken: () => {},
  }
  new Replay({ answer, listener, signal: new AbortController().signal })
  while (!over) {
    const before = told
    await turn()
    most.push(told - before)
  }
  expect(told).toBe(1000)
  expect(Math.max(...most)).toBeLessThan(100)
})

test('who lets go of it is told so once, before it began or in the middle, and nothing after', async () => {
  for (const when of [0, 3]) {
    const said: string[] = []
    const abort = new AbortController()
    const listener: AnswerListener = {
      head: () => void said.push('head'),
      chunk: () => {
        if (said.push('piece') === when) abort.abort(new Error('gone'))
        return true
      },
      end: () => void said.push('end'),
      broken: error => void said.push(`broken ${error.message}`),
    }
    if (when === 0) abort.abort(new Error('gone'))
    const replay = new Replay({
      answer: answerOf(Array.from({ length: 9 }, () => Buffer.from('x'))),
      listener,
      signal: abort.signal,
    })
    for (let i = 0; i < 5; i++) await turn()
    replay.abort(new Error('again'))
    expect(said).toEqual(when === 0 ? ['broken gone'] : ['head', 'piece', 'piece', 'broken gone'])
  }
})

test('a listener that cannot bear it ends its own answer only', async () => {
  const said: string[] = []
  const listener: AnswerListener = {
    head: () => {},
    chunk: () => {
      throw new Error('no more')
    },
    end: () => void said.push('end'),
    broken: error => void said.push(`broken ${error.message}`),
  }
  new Replay({
    answer: answerOf([Buffer.from('a'), Buffer.from('b')]),
    listener,
    signal: new AbortController().signal,
  })
  for (let i = 0; i < 5; i++) await turn()
  expect(said).toEqual(['broken no more'])
})
