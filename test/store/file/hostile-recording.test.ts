import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { TokenscopeError } from '../../../events/errors.ts'
import { RecordingImport } from '../../../store/file/recording-import.ts'
import { RecordingReader } from '../../../store/file/recording-reader.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { recordingBytes } from '../../support/recording-bytes.ts'
import { RecordsShelf } from '../../support/records-shelf.ts'

type Line = Record<string, unknown>

const recording = (id: string, text = 'a', chunks: Uint8Array[] = []) =>
  recordingBytes([tokenEvent(id, 0, text), stateEvent(id, 'done')], { requestedAt: 1_700_000_000, chunks })

/** A recording whose lines say something else, with the checksum that fits. */
function changed(bytes: Buffer, change: (line: Line) => Line): Buffer {
  const lines = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
  const body = lines.slice(0, -1).map(line => `${JSON.stringify(change(line))}\n`)
  const sha256 = createHash('sha256').update(body.join('')).digest('hex')
  return Buffer.from(`${body.join('')}${JSON.stringify({ ...lines.at(-1), sha256 })}\n`)
}

function refusalOf(bytes: Uint8Array): string {
  using shelf = new RecordsShelf()
  const { imported, error } = shelf.import(bytes)
  expect([imported, error?.code, shelf.file.count('generations')]).toEqual([[], 'BAD_RECORDING', 0])
  return (error as TokenscopeError).message
}

/** What is thrown on the way through the bytes, and how many recordings were found. */
function limited(bytes: Uint8Array, limits: { bytes?: number; recordings?: number }) {
  using shelf = new RecordsShelf()
  const found = new RecordingImport(shelf.reader, limits)
  let recordings = 0
  try {
    found.take(bytes)
    for (let step = found.step(); step.type !== 'more'; step = found.step()) recordings++
  } catch (error) {
    const { code, message, details } = error as TokenscopeError
    return { recordings, code, message, details }
  }
  return { recordings }
}

describe('a file of recordings', () => {
  test('whose line comes byte by byte takes no more memory than the line', () => {
    const reader = new RecordingReader()
    const piece = Buffer.from('x')
    const taken = () => {
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const before = taken()
    for (let n = 0; n < 2 ** 20; n++) for (const _ of reader.read(piece)) throw new Error('no line has ended')
    expect(taken() - before).toBeLessThan(64 * 2 ** 20)
  })

  test('with a recording that never ends is refused where it becomes too large', () => {
    // Nothing of these can be said in fewer bytes.
    const chunks = Array.from({ length: 30 }, (_, n) =>
      createHash('shake256', { outputLength: 32 * 1024 })
        .update(`${n}`)
        .digest(),
    )
    const bytes = recording('g_1', 'a', chunks)
    expect(limited(bytes, {})).toEqual({ recordings: 1 })
    const { code, message, details } = limited(bytes, { bytes: 2 ** 18 })
    expect([code, message]).toEqual([
      'BAD_RECORDING',
      expect.stringMatching(/^Line \d+ goes beyond the size .* 0\.25 MiB/),
    ])
    expect((details as { line: number }).line).toBeLessThan(30)
    expect(limited(recording('g_1', 'long'.repeat(1e5)), { bytes: 2 ** 18 }).code).toBe('BAD_RECORDING')
  })

  test('that never ends is refused where it has too many recordings', () => {
    const bytes = Buffer.concat(['g_1', 'g_2', 'g_3'].map(id => recording(id)))
    expect(limited(bytes, { recordings: 3 })).toEqual({ recordings: 3 })
    const refused = limited(bytes, { recordings: 2 })
    expect(refused).toMatchObject({ recordings: 2, code: 'BAD_RECORDING', details: { line: 13 } })
    expect(refused.message).toMatch(/^Line 13 begins the recording after 2 others/)
  })

  test.each([['..'], ['.'], ['import'], ['a/b'], ['x'.repeat(101)]])(
    'is refused under the id %s, which no path leads to',
    id => {
      expect(refusalOf(recording(id))).toMatch(/^Line 1 .*generation is no id/)
    },
  )

  test('is refused with more choices than a request has, which would all be looked for', () => {
    const generations = ['g_1', ...Array.from({ length: 4096 }, (_, n) => `g_x${n}`)]
    const bytes = changed(recording('g_1'), line =>
      line.type === 'request' ? { ...line, generations } : line,
    )
    expect(refusalOf(bytes)).toMatch(/^Line 2 .*generations are more than 4096/)
  })

  test.each([
    [{ error: {} }, 'kind of the error is no text'],
    [
      { error: { kind: 'unknown', code: null, message: 5, retryable: true } },
      'message of the error is no text',
    ],
    [{ timings: { load_ms: 'long' } }, 'load_ms of the timings is no number'],
  ])('is refused whose state has %j, which nobody can show', (more, why) => {
    const bytes = changed(recording('g_1'), line =>
      line.type === 'neural_state' ? { ...line, ...more } : line,
    )
    expect(refusalOf(bytes)).toContain(why)
  })

  test('is refused that ended at no time that there is', () => {
    for (const ended_at of [-1, 1e308]) {
      const bytes = changed(recording('g_1'), line =>
        line.type === 'recording' ? { ...line, ended_at } : line,
      )
      expect(refusalOf(bytes)).toMatch(/^Line 1 .*ended_at is no time/)
    }
  })

  test('whose state has megabytes in it is refused: every list would hold them', () => {
    const large = (units: number) =>
      changed(recording('g_1'), line =>
        line.type === 'neural_state' ? { ...line, extra: 'x'.repeat(units) } : line,
      )
    expect(refusalOf(large(4 * 2 ** 20))).toContain('it is longer than 4 MiB')
    using shelf = new RecordsShelf()
    expect(shelf.import(large(2 ** 20)).imported).toEqual(['g_1'])
  })
})
