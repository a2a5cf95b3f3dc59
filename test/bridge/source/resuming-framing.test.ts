import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createResumingFraming } from '../../../bridge/source/resuming-framing.ts'
import { rounds } from '../../support/rounds.ts'

const LIMIT = 1024 * 1024

interface Told {
  data: string[]
  oversized: number
  lastEventId: string
}

function read(pieces: readonly Buffer[]): Told {
  const told: Told = { data: [], oversized: 0, lastEventId: '' }
  const framing = createResumingFraming(
    {
      onEvent: ({ data }) => told.data.push(data),
      onOversized: () => told.oversized++,
      onRetry: () => {},
    },
    'before',
  )
  for (const piece of pieces) framing.feed(piece)
  framing.end()
  told.lastEventId = framing.lastEventId
  return told
}

/** The bytes, divided after each of these places. */
function divided(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set([0, ...places, bytes.length])].sort((a, b) => a - b)
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

it('passes over an event that is too large, in one line or in many, and tells all others however bytes are divided', () => {
  const endings = fc.constantFrom('\n', '\r', '\r\n')
  const small = fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 4 })
  fc.assert(
    fc.property(
      endings,
      small,
      small,
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (eol, before, after, lines, random) => {
        const event = (n: number) => `id: ${n}${eol}data: ${n}é${eol}${eol}`
        const line = lines ? `data: ${'x'.repeat(50_000)}${eol}` : ''
        const large = lines ? line.repeat(22) + eol : `data: ${'y'.repeat(LIMIT + 1000)}${eol}${eol}`
        const text = before.map(event).join('') + large + after.map(event).join('')
        const bytes = Buffer.from(text)
        // Around the borders of the large event, where it matters, and anywhere.
        const begin = Buffer.byteLength(before.map(event).join(''))
        const end = begin + large.length
        const places = [...random.take(30)].map((n, i) => {
          if (i % 3 === 0) return n % bytes.length
          return Math.min(bytes.length, Math.max(0, (i % 3 === 1 ? begin : end) - 8 + (n % 16)))
        })
        expect(read(divided(bytes, places))).toEqual({
          data: [...before, ...after].map(n => `${n}é`),
          oversized: 1,
          lastEventId: String([...before, ...after].at(-1) ?? 'before'),
        })
      },
    ),
    { numRuns: rounds(400) },
  )
}, 60_000)

it('passes over one after the other', () => {
  const large = `data: ${'x'.repeat(LIMIT + 1)}\n\n`
  const bytes = Buffer.from(`data: 1\n\n${large}${large}data: 2\n\n${large}id: 7\n\ndata: 3\n\ndata: un`)
  expect(read([bytes])).toEqual({ data: ['1', '2', '3'], oversized: 3, lastEventId: '7' })
})
