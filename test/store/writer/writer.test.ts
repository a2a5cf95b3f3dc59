import { afterEach, describe, expect, test } from 'vitest'
import type { TapedRequest } from '../../../bridge/tape.ts'
import { ByteReader } from '../../../broadcast/protocol/byte-codec.ts'
import { ticksOf } from '../../../broadcast/protocol.ts'
import { TokenscopeError } from '../../../events/errors.ts'
import { BlockBuilder } from '../../../store/entry-block.ts'
import type { ImportedRecording } from '../../../store/file/import-batch.ts'
import { unpacked } from '../../../store/packed.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordingStage, type StageOptions } from '../../support/recording-stage.ts'
import { soon } from '../../support/soon.ts'

const stages: RecordingStage[] = []
function stageOf(options: StageOptions = {}): RecordingStage {
  const stage = new RecordingStage(options)
  stages.push(stage)
  return stage
}
afterEach(() => {
  for (const stage of stages.splice(0)) stage.remove()
})

/** Appends a whole generation, or one that goes on. */
function generate(
  stage: RecordingStage,
  generation: string,
  tokens: number,
  end = true,
  text?: string,
): void {
  stage.log.append(stateEvent(generation, 'generating'), 0)
  for (let i = 0; i < tokens; i++)
    stage.log.append(tokenEvent(generation, i, text ?? ` ${generation}word${i}`), 0)
  if (end) stage.log.append(stateEvent(generation, 'done', { ending: 'stop' }), 0)
}

/** Ids of the generations that words find. */
function found(stage: RecordingStage, words: string): string[] {
  const sql =
    'SELECT generation FROM words JOIN generations ON generations.id = words.rowid WHERE words MATCH ? ORDER BY id'
  return stage.all<{ generation: string }>(sql, words).map(({ generation }) => generation)
}

function errorOf(call: () => unknown): TokenscopeError {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(TokenscopeError)
    return error as TokenscopeError
  }
  throw new Error('nothing was thrown')
}

const pages = (stage: RecordingStage) =>
  stage.all<{ page_count: number }>('PRAGMA page_count')[0]?.page_count ?? 0

/** Waits for what comes without being asked for. */

describe('a disk that is full', () => {
  test('stops nothing; what came in the meantime is written once there is room, all of it', async () => {
    const stage = stageOf()
    generate(stage, 'before', 10)
    generate(stage, 'during', 10, false)
    await stage.recorder.flush()
    stage.db.exec(`PRAGMA max_page_count = ${pages(stage) + 2}`)
    for (let i = 10; i < 9000; i++) stage.log.append(tokenEvent('during', i), 0)
    stage.log.append(stateEvent('during', 'done'), 0)
    generate(stage, 'after', 3000)
    await stage.recorder.flush()
    expect(stage.news.at(-1)).toMatchObject({
      type: 'trouble',
      reason: expect.stringMatching(/disk is full/),
    })
    // What is there is whole.
    expect(stage.row('during')).toMatchObject({ tokens: 10, state: 'generating' })
    expect(stage.entries('during')).toHaveLength(11)
    expect(stage.row('after')).toBeUndefined()

    stage.db.exec('PRAGMA max_page_count = 1000000')
    await soon(() => expect(stage.news).toContainEqual({ type: 'trouble', reason: null }))
    expect(stage.lost).toBe(0)
    expect(stage.row('during')).toMatchObject({ tokens: 9000, missing: 0, state: 'done' })
    expect(stage.entries('during')).toHaveLength(9002)
    expect(stage.entries('after')).toHaveLength(3002)
    expect(found(stage, 'duringword3')).toEqual(['during'])
  })

  test('costs whole entries once too much waits, and what misses them says so', async () => {
    const stage = stageOf({ maxUnwritten: 300_000 })
    generate(stage, 'early', 10, false)
    generate(stage, 'going', 10, false)
    await stage.recorder.flush()
    stage.db.exec(`PRAGMA max_page_count = ${pages(stage)}`)
    for (let i = 10; i < 40_000; i++) stage.log.append(tokenEvent('going', i), 0)
    for (let i = 10; i < 30; i++) stage.log.append(tokenEvent('early', i), 0)
    stage.log.append(stateEvent('early', 'failed'), 0)
    generate(stage, 'whole', 20)
    await stage.recorder.flush()
    expect(stage.lost).toBeGreaterThan(10_000)

    stage.db.exec('PRAGMA max_page_count = 1000000')
    await soon(() => expect(stage.news).toContainEqual({ type: 'trouble', reason: null }))
    for (let i = 40_000; i < 40_010; i++) stage.log.append(tokenEvent('going', i), 0)
    stage.log.append(stateEvent('going', 'done'), 0)
    await stage.recorder.flush()
    const counts = ['early', 'going', 'whole'].map(generation => {
      const row = stage.row(generation)
      const tokens = stage.entries(generation).filter(entry => entry.type === 'token_activation').length
      expect(row?.tokens).toBe(tokens)
      return [row?.state, tokens + (row?.missing ?? 0), (row?.missing ?? 0) > 0]
    })
    expect(counts).toEqual([
      ['failed', 30, true],
      ['done', 40_010, true],
      ['done', 20, true],
    ])
    const lost = stage.all<{ n: number }>('SELECT sum(missing) AS n FROM generations')[0]?.n ?? 0
    // Two of the entries that were lost are states; the last ones were told all the same.
    expect(stage.lost - lost).toBe(3)
  })

  test('is said by who changes something', async () => {
    const stage = stageOf()
    generate(stage, 'g', 10)
    await stage.recorder.flush()
    stage.db.exec(`PRAGMA max_page_count = ${pages(stage)}`)
    const edit = { version: 1, note: 'x'.repeat(100_000) }
    expect(() => stage.writer.edit({ generation: 'g', edit })).toThrow(/full/)
    expect(stage.row('g')).toMatchObject({ version: 1, note: null })
  })
})

describe('a change', () => {
  test('is made to the version that was seen, and found by', async () => {
    const stage = stageOf()
    generate(stage, 'a', 3)
    generate(stage, 'b', 3)
    await stage.recorder.flush()
    const first = stage.writer.edit({
      generation: 'a',
      edit: { version: 1, name: 'Zebra', tags: ['one two', 'three'] },
    })
    expect(first).toMatchObject({
      generation: 'a',
      name: 'Zebra',
      tags: ['one two', 'three'],
      note: null,
      version: 2,
    })
    expect(
      stage.writer.edit({ generation: 'a', edit: { version: 2, note: 'remarkable\0\ud800' } }),
    ).toMatchObject({
      name: 'Zebra',
      note: 'remarkable\ufffd\ufffd',
      version: 3,
    })
    for (const words of ['zebra', 'tags:three', 'note:remarkable', 'aword1'])
      expect(found(stage, words)).toEqual(['a'])
    expect(stage.writer.edit({ generation: 'a', edit: { version: 3, name: null, tags: [] } }).name).toBeNull()
    expect(found(stage, 'zebra')).toEqual([])

    const conflict = errorOf(() => stage.writer.edit({ generation: 'a', edit: { version: 3, name: 'x' } }))
    expect(conflict).toMatchObject({
      code: 'VERSION_CONFLICT',
      details: { current: { generation: 'a', version: 4 } },
    })
    expect(errorOf(() => stage.writer.edit({ generation: 'c', edit: { version: 1 } })).code).toBe('NOT_FOUND')
  })

  test('of what runs is kept at its end', async () => {
    const stage = stageOf()
    generate(stage, 'a', 3, false)
    await stage.recorder.flush()
    stage.writer.edit({ generation: 'a', edit: { version: 1, name: 'early' } })
    stage.log.append(tokenEvent('a', 3), 0)
    stage.log.append(stateEvent('a', 'done'), 0)
    await stage.recorder.flush()
    expect(stage.row('a')).toMatchObject({ name: 'early', version: 2, tokens: 4, state: 'done' })
    expect(found(stage, 'early')).toEqual(['a'])
  })

  test('is a removal: nothing is left of it, and what runs is refused', async () => {
    const stage = stageOf()
    generate(stage, 'a', 300)
    generate(stage, 'b', 3, false)
    const tape = stage.recorder.open(requestOf(['a']))
    tape?.bytes(Buffer.from('data'), 1)
    await stage.recorder.flush()
    expect(errorOf(() => stage.writer.remove({ generation: 'b' })).code).toBe('STILL_RUNNING')
    stage.writer.remove({ generation: 'a' })
    // The rest of its answer is of nobody's interest.
    tape?.bytes(Buffer.from('more'), 2)
    tape?.end('complete')
    await stage.recorder.flush()
    expect(errorOf(() => stage.writer.remove({ generation: 'a' })).code).toBe('NOT_FOUND')
    expect(found(stage, 'aword1')).toEqual([])
    for (const table of ['exchanges', 'exchange_parts'])
      expect(stage.all(`SELECT * FROM ${table}`)).toEqual([])
    expect(stage.all('SELECT generation FROM generations')).toEqual([{ generation: 'b' }])
    expect(stage.all('SELECT DISTINCT generation FROM entry_blocks')).toEqual([
      { generation: stage.row('b')?.id },
    ])
  })
})

function recordingOf(generation: string, text: string): ImportedRecording {
  const began = ticksOf(1_600_000_000)
  const builder = new BlockBuilder({ handle: 1, id: generation, began })
  const { type: _type, ...last } = stateEvent(generation, 'done')
  builder.token(tokenEvent(generation, 0, text), [0, 0])
  builder.state({ type: 'neural_state', ...last })
  return {
    generation,
    began,
    ended_at: 1_600_000_001,
    state: 'done',
    model: 'test-model',
    last: JSON.stringify(last),
    entries: 2,
    tokens: 1,
    missing: 0,
    mean_logprob: null,
    preview: text,
    prompt: 'asked',
    name: 'Named',
    tags: '["t"]',
    note: null,
    blocks: builder.blocks(),
    text,
    exchange: {
      same: null,
      started_ms: 1_600_000_000_000,
      request: '{}',
      body: null,
      body_codec: 0,
      body_bytes: 0,
      response: null,
      bytes: 4,
      outcome: 'complete',
      lost: 0,
      parts: [{ ord: 0, codec: 0, data: Buffer.from([0, 4, 1, 2, 3, 4]) }],
    },
  }
}

describe('a recording of a file', () => {
  test('is put in as it is, found, and never put over what is there', () => {
    const stage = stageOf()
    stage.writer.import(recordingOf('i1', 'imported words'))
    const same = stage.row('i1')?.exchange as number
    const second = recordingOf('i2', 'other words')
    stage.writer.import({ ...second, exchange: { ...(second.exchange as never as object), same } as never })
    expect(errorOf(() => stage.writer.import(recordingOf('i1', 'different'))).code).toBe('ALREADY_RECORDED')
    expect(stage.row('i1')).toMatchObject({
      origin: 'import',
      version: 1,
      name: 'Named',
      tags: '["t"]',
      prompt: 'asked',
    })
    expect(stage.row('i2')?.exchange).toBe(same)
    expect(stage.all('SELECT count(*) AS n FROM exchanges')).toEqual([{ n: 1 }])
    expect(stage.entries('i1').map(entry => entry.type)).toEqual(['token_activation', 'neural_state'])
    expect(found(stage, 'words')).toEqual(['i1', 'i2'])
    expect(found(stage, 'asked AND imported AND named')).toEqual(['i1'])
    // It is no part of the log that goes on.
    stage.close()
    stage.open()
    expect(stage.writer.resumption.finished).toEqual([])
  })
})

function requestOf(
  generations: string[],
  body = '{"messages":[{"role":"user","content":"the question"}]}',
): TapedRequest {
  return {
    method: 'POST',
    target: '/v1/chat/completions?key=secret',
    headers: ['Authorization', 'Bearer secret', 'User-Agent', 'app'],
    body: Buffer.from(body),
    correlationId: 'c-1',
    startedAt: performance.now(),
    generations: () => generations,
  }
}

describe('a request and its answer', () => {
  test('that comes in floods and in drops is kept to the byte, its parts in their order', async () => {
    const stage = stageOf()
    const request = requestOf(['flood'])
    const tape = stage.recorder.open(request)
    const sent: Buffer[] = []
    for (const bytes of [100, 150_000, 200, 90_000, 70_000, 300, 400, 80_000]) {
      for (let left = bytes; left > 0; left -= 1000) {
        sent.push(Buffer.alloc(Math.min(left, 1000), `${sent.length},`))
        tape?.bytes(sent.at(-1) as Buffer, request.startedAt)
      }
      await stage.recorder.flush()
    }
    tape?.end('complete')
    await stage.recorder.flush()
    const kept: Buffer[] = []
    const parts = stage.all<{ ord: number; codec: number; data: Uint8Array }>(
      'SELECT * FROM exchange_parts ORDER BY ord',
    )
    for (const part of parts) {
      expect(part.ord).toBe(kept.length)
      const input = new ByteReader(unpacked(part))
      while (input.at < input.end) {
        input.varint()
        const size = input.varint()
        kept.push(Buffer.from(input.bytes.subarray(input.at, input.at + size)))
        input.part(size)
      }
    }
    expect(kept).toEqual(sent)
  })

  test('are kept to the byte, with when each piece came, and belong to all their generations', async () => {
    const stage = stageOf()
    const generations = ['c0']
    const request = requestOf(generations)
    const tape = stage.recorder.open(request)
    generate(stage, 'c0', 5, false)
    tape?.head(200, ['Content-Type', 'text/event-stream', 'Set-Cookie', 'a=b'], request.startedAt + 5)
    const chunks: [number, Buffer][] = []
    for (let i = 0; i < 3000; i++) {
      const chunk = Buffer.from(`data: ${'x'.repeat(i % 90)}\n`)
      chunks.push([10 * i, chunk])
      tape?.bytes(chunk, request.startedAt + i)
      chunk.fill(0, 0, 0)
      if (i % 700 === 0) await stage.recorder.flush()
      if (i === 1500) generations.push('c1')
    }
    generate(stage, 'c1', 5, false)
    await stage.recorder.flush()
    expect(stage.all('SELECT outcome FROM exchanges')).toEqual([{ outcome: null }])
    stage.log.append(stateEvent('c0', 'done'), 0)
    tape?.end('complete')
    stage.log.append(stateEvent('c1', 'done'), 0)
    await stage.recorder.flush()

    const [row] = stage.all<Record<string, unknown>>('SELECT * FROM exchanges')
    const parts = stage.all<{ ord: number; codec: number; data: Uint8Array }>(
      'SELECT * FROM exchange_parts ORDER BY ord',
    )
    const kept: [number, Buffer][] = []
    for (const part of parts) {
      expect(part.ord).toBe(kept.length)
      const input = new ByteReader(unpacked(part))
      while (input.at < input.end) {
        const ticks = input.varint()
        const size = input.varint()
        kept.push([ticks, Buffer.from(input.bytes.subarray(input.at, input.at + size))])
        input.part(size)
      }
    }
    expect(kept).toEqual(chunks)
    expect(parts.length).toBeLessThan(8)
    expect(row).toMatchObject({
      outcome: 'complete',
      lost: 0,
      bytes: Buffer.concat(chunks.map(([, c]) => c)).length,
    })
    expect(JSON.parse(row?.request as string)).toMatchObject({
      method: 'POST',
      target: '/v1/chat/completions?key=',
      headers: { 'user-agent': 'app' },
      correlation_id: 'c-1',
    })
    expect(JSON.parse(row?.response as string)).toEqual({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
    })
    for (const generation of ['c0', 'c1']) {
      expect(stage.row(generation)).toMatchObject({ exchange: row?.id, prompt: 'the question' })
    }
    expect(found(stage, 'prompt:question')).toEqual(['c0', 'c1'])
    expect(JSON.stringify([row, parts])).not.toContain('secret')
  })

  test('have all their generations, even when some are removed', async () => {
    const stage = stageOf()
    const generations = ['c0']
    const tape = stage.recorder.open(requestOf(generations))
    const broken = stage.recorder.open(requestOf(['d0', 'd1']))
    generations.push('c1', 'c2')
    for (const generation of ['c2', 'c0', 'c1', 'd0', 'd1']) generate(stage, generation, 2)
    broken?.bytes(Buffer.from('data'), 0)
    tape?.end('complete')
    await stage.recorder.flush()
    stage.writer.remove({ generation: 'c1' })
    stage.abandon()
    stage.open()
    stage.writer.remove({ generation: 'd0' })
    const told = stage.all<{ request: string }>('SELECT request FROM exchanges ORDER BY id')
    expect(told.map(({ request }) => JSON.parse(request).generations)).toEqual([
      ['c0', 'c1', 'c2'],
      ['d0', 'd1'],
    ])
  })

  test('are interrupted where Tokenscope ends before them', async () => {
    const stage = stageOf()
    const tape = stage.recorder.open(requestOf(['g']))
    generate(stage, 'g', 5, false)
    tape?.bytes(Buffer.from('data: 1'), 0)
    await stage.recorder.flush()
    stage.abandon()
    stage.open()
    expect(stage.all('SELECT outcome, bytes FROM exchanges')).toEqual([{ outcome: 'interrupted', bytes: 7 }])
    expect(stage.row('g')).toMatchObject({ state: 'interrupted', tokens: 5 })
    expect(found(stage, 'gword3 AND question')).toEqual(['g'])
    expect(stage.writer.resumption.finished).toMatchObject([
      { generation: 'g', state: 'interrupted', tokens: 5 },
    ])
  })
})

describe('recording without text', () => {
  test('keeps when and how sure, and nothing of what was said', async () => {
    const stage = stageOf({ mode: 'meta' })
    expect(stage.recorder.open(requestOf(['g']))).toBeNull()
    stage.log.append(stateEvent('g', 'generating'), 0)
    const token = {
      ...tokenEvent('g', 0, 'confidential'),
      logprob: -0.5,
      token_id: 7,
      top: [{ text: 'x', logprob: -1 }],
    }
    stage.log.append(token, 0)
    stage.log.append(stateEvent('g', 'done'), 0)
    await stage.recorder.flush()
    expect(stage.entries('g')[1]).toMatchObject({
      token_text: '',
      token_id: null,
      top: [],
      logprob: -0.5,
      index: 0,
    })
    expect(stage.row('g')).toMatchObject({ preview: '', prompt: null, tokens: 1, mean_logprob: -0.5 })
    expect(found(stage, 'confidential')).toEqual([])
    stage.writer.edit({ generation: 'g', edit: { version: 1, name: 'known' } })
    expect(found(stage, 'known')).toEqual(['g'])
  })
})

describe('retention', () => {
  const count = (stage: RecordingStage) =>
    stage.all<{ n: number }>('SELECT count(*) AS n FROM generations')[0]?.n

  test('by size removes the oldest and never what runs, and gives the disk its room back', async () => {
    const stage = stageOf({ retention: { ageMs: null, bytes: 1_000_000 } })
    generate(stage, 'running', 500, false)
    let text = 1
    for (let g = 0; g < 60; g++) {
      stage.log.append(stateEvent(`g${g}`, 'generating'), 0)
      for (let i = 0; i < 800; i++) {
        text = (text * 48_271) % 2_147_483_647
        stage.log.append(tokenEvent(`g${g}`, i, ` ${text.toString(36)}`), 0)
      }
      stage.log.append(stateEvent(`g${g}`, 'done'), 0)
    }
    await stage.recorder.flush()
    const bytes = () => {
      const [{ page_count }] = stage.all('PRAGMA page_count') as [{ page_count: number }]
      const [{ freelist_count }] = stage.all('PRAGMA freelist_count') as [{ freelist_count: number }]
      return { used: (page_count - freelist_count) * 8192, file: page_count * 8192 }
    }
    await soon(() => expect(bytes().file).toBeLessThan(1_600_000))
    expect(bytes().used).toBeLessThanOrEqual(1_000_000)
    const left = stage.all<{ generation: string }>('SELECT generation FROM generations ORDER BY id')
    expect(left.length).toBeGreaterThan(5)
    expect(left.length).toBeLessThan(60)
    const first = 60 - (left.length - 1)
    const newest = Array.from({ length: left.length - 1 }, (_, i) => `g${first + i}`)
    expect(left.map(({ generation }) => generation)).toEqual(['running', ...newest])
    expect(stage.entries('running')).toHaveLength(501)
    const orphans =
      'SELECT count(*) AS n FROM entry_blocks WHERE generation NOT IN (SELECT id FROM generations)'
    expect(stage.all(orphans)).toEqual([{ n: 0 }])
    expect(stage.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  test('by age removes what is older, with requests of which nothing came', async () => {
    const stage = stageOf({ retention: { ageMs: 60_000, bytes: null } })
    generate(stage, 'old', 5)
    generate(stage, 'running', 5, false)
    for (const generations of [['old'], []]) stage.recorder.open(requestOf(generations))?.end('broken')
    await stage.recorder.flush()
    const hour = 3_600_000 * 1024
    stage.db.exec(`UPDATE generations SET recorded_at = recorded_at - 3600000;
      UPDATE generations SET id = id - ${hour}; UPDATE exchanges SET id = id - ${hour};
      UPDATE generations SET exchange = exchange - ${hour}; UPDATE entry_blocks SET generation = generation - ${hour}`)
    generate(stage, 'new', 5)
    await stage.recorder.flush()
    expect(count(stage)).toBe(3)
    // A change that removes is followed by a sweep.
    generate(stage, 'removed', 5)
    await stage.recorder.flush()
    stage.writer.remove({ generation: 'removed' })
    await soon(() => expect(count(stage)).toBe(2))
    expect(stage.row('old')).toBeUndefined()
    expect(stage.row('running')).toMatchObject({ state: 'generating' })
    await soon(() => expect(stage.all('SELECT * FROM exchanges')).toEqual([]))
  })

  test('by age counts from when it was recorded here, and leaves what a clock recorded that was not set', async () => {
    const stage = stageOf({ retention: { ageMs: 60_000, bytes: null } })
    stage.writer.import(recordingOf('imported', 'old words'))
    for (const generation of ['unset', 'old', 'removed']) generate(stage, generation, 3)
    await stage.recorder.flush()
    stage.db.exec(`UPDATE generations SET recorded_at = 90000 WHERE generation = 'unset';
      UPDATE generations SET recorded_at = recorded_at - 61000 WHERE generation = 'old'`)
    stage.writer.remove({ generation: 'removed' })
    await soon(() => expect(stage.row('old')).toBeUndefined())
    const left = stage.all<{ generation: string }>('SELECT generation FROM generations ORDER BY id')
    expect(left.map(({ generation }) => generation)).toEqual(['imported', 'unset'])
    stage.db.exec("UPDATE generations SET recorded_at = recorded_at - 61000 WHERE generation = 'imported'")
    generate(stage, 'removed', 3)
    await stage.recorder.flush()
    stage.writer.remove({ generation: 'removed' })
    await soon(() => expect(stage.row('imported')).toBeUndefined())
  })
})
