import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TokenscopeError } from '../../../events/errors.ts'
import { anyExchange, anyRecording } from '../../support/any-recording.ts'
import { type PutRecording, saying } from '../../support/filled-records.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordsShelf } from '../../support/records-shelf.ts'
import { rounds } from '../../support/rounds.ts'

const runs = { numRuns: rounds(2000) }

const ids = ['g_A', 'g_B', 'g_C']

describe('a recording as a file', () => {
  test('says the same to the byte after it was taken in elsewhere', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    fc.assert(
      fc.property(
        anyExchange(ids),
        fc.integer({ min: 1, max: 2000 }),
        fc.shuffledSubarray(ids),
        (all, size, order) => {
          here.clear()
          there.clear()
          here.put(all)
          const files = new Map(ids.map(id => [id, here.export(id)]))
          for (const id of order) {
            expect(there.import(files.get(id) as Buffer, size)).toEqual({
              imported: [id],
              present: [],
              error: null,
            })
          }
          for (const id of order) {
            expect(there.export(id).equals(files.get(id) as Buffer)).toBe(true)
            for (const form of ['csv', 'txt'] as const)
              expect(there.export(id, form)).toEqual(here.export(id, form))
            const { origin: _a, bytes: _b, version: _c, ...record } = here.reader.get(id)
            expect(there.reader.get(id)).toMatchObject(record)
          }
          // Choices of one request share what was asked and answered.
          expect(there.file.count('exchanges')).toBe(all.exchange === null || order.length === 0 ? 0 : 1)
          const again = there.import(Buffer.concat(order.map(id => files.get(id) as Buffer)), size)
          if (order.length > 0) expect(again).toEqual({ imported: [], present: order, error: null })
          expect(there.file.count('generations')).toBe(order.length)
        },
      ),
      runs,
    )
  })

  test('is refused if a byte of it is another one, or it ends too early, and nothing is taken in', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    fc.assert(
      fc.property(
        anyRecording('g_A'),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (recording, place, change, cut) => {
          here.clear()
          here.put({ exchange: null, recordings: [recording] })
          const whole = here.export('g_A')
          // Without its last line's end it is whole.
          const at = place % (whole.length - 1)
          const damaged = cut ? whole.subarray(0, at) : Buffer.from(whole)
          if (!cut) damaged[at] = (damaged[at] as number) ^ change
          const { imported, present, error } = there.import(damaged)
          expect({ imported, present, code: error?.code }).toEqual({
            imported: [],
            present: [],
            code: 'BAD_RECORDING',
          })
          const { line } = (error as TokenscopeError).details as { line: number }
          expect(error?.message).toContain(`Line ${line} `)
          // A changed line may be well formed and be found out by the checksum at the end.
          const lines = whole.subarray(0, at).filter(byte => byte === 0x0a).length
          if (cut) expect(line).toBe(Math.max(1, whole[at - 1] === 0x0a ? lines : lines + 1))
          else expect(line).toBeGreaterThan(lines)
        },
      ),
      runs,
    )
    for (const table of ['generations', 'entry_blocks', 'exchanges']) expect(there.file.count(table)).toBe(0)
  })
})

describe('a file of recordings', () => {
  const put = (shelf: RecordsShelf, ...recordings: PutRecording[]) =>
    shelf.put({ exchange: null, recordings })

  test('keeps what was read of it before a line that is bad', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    put(here, saying('g_A', ['a']), saying('g_B', ['b']), saying('g_C', ['c']))
    const [a, b, c] = ids.map(id => here.export(id).toString()) as [string, string, string]
    const { imported, error } = there.import(Buffer.from(a + b.replace('"b"', '"x"') + c))
    expect(imported).toEqual(['g_A'])
    // Four lines of each: its checksum is in the last.
    expect(error?.message).toMatch(/^Line 10 .* checksum/)
    expect(there.file.count('generations')).toBe(1)
  })

  test('is refused whose lines are not what they should be, naming the line', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    put(here, saying('g_A', ['a']))
    const [head, queued, token, done, end] = here.export('g_A').toString().trimEnd().split('\n') as string[]
    const cases: [lines: (string | undefined)[], line: number, why: RegExp][] = [
      [[], 1, /empty/],
      [['hello'], 1, /no JSON/],
      [['[1]'], 1, /no object/],
      [[`\ufeff${head}`], 1, /no JSON/],
      [['{"type":"neural_state"}'], 1, /begins with/],
      [[head?.replace('"version":1', '"version":2')], 1, /version is 2/],
      [[head?.replace('{', '{ ')], 1, /not as Tokenscope writes it/],
      [[head?.replace('"g_A"', '"g A"')], 1, /generation/],
      [[head, head], 2, /does not come behind/],
      [[head, '{"type":"response"}'], 2, /does not come behind/],
      [[head, '{"type":"bytes"}'], 2, /does not come behind/],
      [[head, '{"type":"other"}'], 2, /no line of type/],
      [[head, queued, token?.replace('"index":0', '"index":-1')], 3, /index/],
      [[head, queued, token, token], 4, /index/],
      [[head, queued, token?.replace('g_A', 'g_B')], 3, /generation/],
      [[head, queued, token?.replace('"kind":"message"', '"kind":"other"')], 3, /kind/],
      [[head, queued?.replace('"queued"', '"asleep"')], 2, /state/],
      [[head, queued, token, done], 4, /cut off/],
      [[head, queued, token, end], 4, /checksum/],
      [[head, '['.repeat(100_000)], 2, /no JSON/],
      [[head, `{"type":"neural_state","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`], 2, /state/],
    ]
    for (const [lines, line, why] of cases) {
      const { imported, error } = there.import(Buffer.from(lines.join('\n') + (lines.length > 0 ? '\n' : '')))
      expect({ imported, code: error?.code, details: error?.details }).toEqual({
        imported: [],
        code: 'BAD_RECORDING',
        details: { line },
      })
      expect(error?.message).toMatch(why)
    }
    expect(there.file.count('generations')).toBe(0)
  })

  test('is refused whose bytes are no UTF-8, or have a line over 16 MiB', () => {
    using there = new RecordsShelf()
    expect(there.import(Buffer.from([0x22, 0xff, 0x22, 0x0a])).error?.message).toMatch(/^Line 1 .* UTF-8/)
    expect(there.import(Buffer.alloc(16 * 1024 * 1024 + 1, 'a'), 1 << 20).error?.message).toMatch(
      /^Line 1 .* 16 MiB/,
    )
  })

  test('is taken in without its last line end', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    put(here, saying('g_A', ['a']))
    expect(there.import(here.export('g_A').subarray(0, -1)).imported).toEqual(['g_A'])
  })

  test('of another recording under an id that is there is refused, and of the same one nothing is done', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    put(here, saying('g_A', ['a']))
    put(there, saying('g_A', ['b']))
    const file = here.export('g_A')
    const { error } = there.import(file)
    expect(error?.code).toBe('ALREADY_RECORDED')
    expect(error?.details).toEqual({ line: 1, generation: 'g_A' })
    expect(here.import(file)).toEqual({ imported: [], present: ['g_A'], error: null })
    using empty = new RecordsShelf()
    // Twice in one file.
    expect(empty.import(Buffer.concat([file, file]))).toEqual({
      imported: ['g_A'],
      present: ['g_A'],
      error: null,
    })
    using third = new RecordsShelf()
    expect(third.import(Buffer.concat([file, there.export('g_A')])).error?.code).toBe('ALREADY_RECORDED')
    expect(third.file.count('generations')).toBe(1)
  })

  test('of a generation that has not ended is told, and not taken in', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    put(here, { events: [stateEvent('g_A', 'generating'), tokenEvent('g_A', 0, 'a')] })
    const { error } = there.import(here.export('g_A'))
    expect(error?.code).toBe('BAD_RECORDING')
    expect(error?.message).toMatch(/^Line 4 .* before the generation ended/)
  })

  test('has no word for a logprob that is no finite number, and says so the same each time', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    const logprob = Number.NEGATIVE_INFINITY
    const token = { ...tokenEvent('g_A', 0, 'a'), logprob, top: [{ text: 'b', logprob }] }
    put(here, { events: [token, stateEvent('g_A', 'done')] })
    const file = here.export('g_A')
    expect(file.toString()).toContain('"logprob":null,"top":[{"text":"b","logprob":null}]')
    expect(there.import(file).imported).toEqual(['g_A'])
    expect(there.export('g_A')).toEqual(file)
  })

  test('says of an answer that goes on that there is more of it', () => {
    using here = new RecordsShelf()
    using there = new RecordsShelf()
    const chunks = [{ atMs: 0.1, data: Buffer.from('data: x\n\n') }]
    here.put({
      exchange: { startedAt: 1_700_000_000, chunks, outcome: null },
      recordings: [saying('g_A', ['a'])],
    })
    const file = here.export('g_A')
    expect(here.reader.get('g_A').response).toBeNull()
    expect(file.toString()).toContain(
      '{"type":"response","status":null,"headers":null,"outcome":"interrupted","lost":false}',
    )
    expect(there.import(file).imported).toEqual(['g_A'])
    expect(there.export('g_A')).toEqual(file)
  })

  test('has the lines of the form, to the byte', () => {
    using here = new RecordsShelf()
    here.put({
      exchange: {
        startedAt: 1_700_000_000.25,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from('{"n":2}'),
        correlationId: 'r-1',
        response: { status: 200, headers: {} },
        chunks: [{ atMs: 12.3, data: Buffer.from([0, 255]) }],
      },
      recordings: [
        saying('g_A', []),
        {
          ...saying('g_B', []),
          events: [
            {
              ...tokenEvent('g_B', 0, '\ud83d"'),
              logprob: -0.5,
              token_id: 7,
              top: [{ text: 'x', logprob: -1 }],
            },
            stateEvent('g_B', 'done'),
          ],
          tags: ['a'],
        },
      ],
    })
    const lines = [
      '{"type":"recording","version":1,"generation":"g_B","started_at":1700000000,"ended_at":1700000000,"model":"test-model","upstream":"127.0.0.1:1234","choice":1,"missing":0,"prompt":null,"name":null,"tags":["a"],"note":null}',
      '{"type":"request","method":"POST","target":"/v1/chat/completions","headers":{"content-type":"application/json"},"correlation_id":"r-1","started_at":1700000000.25,"generations":["g_A","g_B"],"body":"{\\"n\\":2}","body_base64":null}',
      '{"type":"response","status":200,"headers":{},"outcome":"complete","lost":false}',
      '{"type":"token_activation","generation":"g_B","index":0,"token_id":7,"token_text":"\\ud83d\\"","kind":"message","timestamp":1700000000,"logprob":-0.5,"top":[{"text":"x","logprob":-1}]}',
      '{"type":"neural_state","generation":"g_B","state":"done","model":"test-model","upstream":"127.0.0.1:1234","tokens_processed":0,"total_tokens":null,"estimated":false,"elapsed_ms":0,"ttft_ms":null,"progress":null,"ending":null,"error":null,"timings":null,"parent":null,"cached":false}',
      '{"type":"bytes","at_ms":12.3,"data":"AP8="}',
    ]
    const body = lines.map(line => `${line}\n`).join('')
    const sha256 = createHash('sha256').update(body).digest('hex')
    const end = `{"type":"end","entries":2,"tokens":1,"chunks":1,"bytes":2,"sha256":"${sha256}"}\n`
    expect(here.export('g_B').toString()).toBe(body + end)
  })
})
