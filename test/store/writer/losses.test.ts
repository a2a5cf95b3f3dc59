import { afterEach, describe, expect, test, vi } from 'vitest'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordingStage, type StageOptions } from '../../support/recording-stage.ts'

const stages: RecordingStage[] = []
function stageOf(options: StageOptions = {}): RecordingStage {
  const stage = new RecordingStage(options)
  stages.push(stage)
  return stage
}
afterEach(() => {
  for (const stage of stages.splice(0)) stage.remove()
})

function generate(stage: RecordingStage, generation: string, tokens: number, end = true): void {
  stage.log.append(stateEvent(generation, 'generating'), 0)
  for (let i = 0; i < tokens; i++) stage.log.append(tokenEvent(generation, i, ` ${generation}word${i}`), 0)
  if (end) stage.log.append(stateEvent(generation, 'done', { ending: 'stop' }), 0)
}

/** Changes the bytes of the next batch behind a text that is in them. */
function damageNext(
  stage: RecordingStage,
  text: string,
  change: (bytes: Uint8Array, at: number) => void,
): void {
  const { writer } = stage
  const take = writer.take.bind(writer)
  writer.take = batch => {
    writer.take = take
    const at = Buffer.from(batch.bytes).indexOf(text)
    expect(at).toBeGreaterThan(0)
    change(batch.bytes, at)
    take(batch)
  }
}

/** Has the tables refuse entries of one generation for good. */
function refuse(stage: RecordingStage, generation: string): void {
  stage.db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON entry_blocks
    WHEN NEW.generation = (SELECT id FROM generations WHERE generation = '${generation}') AND NEW.tokens > 0
    BEGIN SELECT RAISE(ABORT, 'nobody expected this'); END`)
}

const leftOut = (stage: RecordingStage) => stage.news.filter(({ type }) => type === 'left-out')
const lostOf = (stage: RecordingStage) =>
  stage.news.reduce((sum, news) => sum + (news.type === 'done' ? news.lost : 0), 0)
const factOf = (stage: RecordingStage, name: string) =>
  stage.all<{ value: unknown }>('SELECT value FROM facts WHERE name = ?', name)[0]?.value

describe('what can never be recorded', () => {
  test('is told, and what follows is recorded', async () => {
    const stage = stageOf()
    const bytes = new Uint8Array([1, 9, 0, 0, 0, 1])
    stage.writer.take({ number: 999, bytes, entries: 5, upto: 5, nextBlock: 0 })
    generate(stage, 'g', 3)
    await stage.recorder.flush()
    expect(stage.news).toContainEqual(expect.objectContaining({ type: 'done', number: 999, lost: 5 }))
    expect(leftOut(stage)).toEqual([
      { type: 'left-out', what: '5 entries that cannot be read', reason: expect.any(String) },
    ])
    expect(stage.entries('g')).toHaveLength(5)
    expect(factOf(stage, 'seq')).toBe(0)
  })

  test('costs no more than the entry that cannot be read', async () => {
    const stage = stageOf()
    generate(stage, 'a', 20, false)
    generate(stage, 'b', 20, false)
    damageNext(stage, '"generation":"b"', (bytes, at) => {
      bytes[at] = 0
    })
    await stage.recorder.flush()
    generate(stage, 'c', 20)
    for (const generation of ['a', 'b']) {
      stage.log.append(tokenEvent(generation, 20), 0)
      stage.log.append(stateEvent(generation, 'done'), 0)
    }
    await stage.recorder.flush()
    expect(leftOut(stage)).toHaveLength(1)
    // Its first entry had told what the handle of the others stands for.
    expect(lostOf(stage)).toBe(21)
    expect(stage.entries('a')).toHaveLength(23)
    expect(stage.entries('c')).toHaveLength(22)
    expect(stage.row('b')).toMatchObject({ state: 'done', tokens: 1, missing: 20 })
  })

  test('of one generation costs nothing of the others and of their requests', async () => {
    const stage = stageOf()
    generate(stage, 'bad', 0, false)
    await stage.recorder.flush()
    refuse(stage, 'bad')
    const request = { method: 'POST', target: '/', headers: [], correlationId: null, startedAt: 0 }
    const tape = stage.recorder.open({
      ...request,
      body: Buffer.from('{"prompt":"why"}'),
      generations: () => ['bad', 'good'],
    })
    tape?.head(200, [], 1)
    tape?.bytes(Buffer.from('data'), 2)
    for (let i = 0; i < 30; i++) stage.log.append(tokenEvent('bad', i), 0)
    stage.log.append(stateEvent('bad', 'done', { ending: 'stop' }), 0)
    generate(stage, 'good', 30)
    tape?.end('complete')
    generate(stage, 'other', 30, false)
    await stage.recorder.flush()
    expect(leftOut(stage)).toEqual([
      {
        type: 'left-out',
        what: '31 entries of bad',
        reason: expect.stringContaining('nobody expected this'),
      },
    ])
    expect(lostOf(stage)).toBe(31)
    expect(stage.row('bad')).toMatchObject({ state: 'done', tokens: 0, missing: 30 })
    expect(stage.entries('good')).toHaveLength(32)
    expect(stage.row('good')).toMatchObject({ state: 'done', prompt: 'why', missing: 0 })
    expect(stage.all('SELECT outcome, bytes, lost FROM exchanges')).toEqual([
      { outcome: 'complete', bytes: 4, lost: 0 },
    ])
    stage.log.append(tokenEvent('other', 30), 0)
    await stage.recorder.flush()
    expect(stage.entries('other')).toHaveLength(32)
    expect(
      stage.all('SELECT * FROM entry_blocks WHERE generation NOT IN (SELECT id FROM generations)'),
    ).toEqual([])
  })

  test('since the blocks of a generation are damaged, is said of it at least', async () => {
    const stage = stageOf()
    generate(stage, 'bad', 10, false)
    generate(stage, 'good', 10, false)
    await stage.recorder.flush()
    damageBlocks(stage, 'bad')
    for (const generation of ['bad', 'good']) {
      stage.log.append(tokenEvent(generation, 10), 0)
      stage.log.append(stateEvent(generation, 'done', { ending: 'stop' }), 0)
    }
    await stage.recorder.flush()
    expect(leftOut(stage).length).toBeGreaterThan(0)
    const bad = stage.row('bad')
    expect(bad).toMatchObject({ state: 'done', ended_at: expect.any(Number) })
    expect(bad?.missing).toBeGreaterThan(0)
    expect(stage.entries('good')).toHaveLength(13)
  })

  test('damaged blocks of what ran do not keep the next run from beginning', async () => {
    const stage = stageOf()
    generate(stage, 'bad', 10, false)
    generate(stage, 'good', 10, false)
    await stage.recorder.flush()
    damageBlocks(stage, 'bad')
    stage.abandon()
    stage.news = []
    stage.open()
    expect(stage.news).toContainEqual({
      type: 'note',
      level: 'error',
      text: expect.stringMatching(/bad.* is damaged/),
    })
    expect(stage.row('bad')).toMatchObject({ state: 'interrupted', tokens: 10, missing: 1 })
    expect(stage.row('good')).toMatchObject({ state: 'interrupted', tokens: 10, missing: 0 })
    expect(stage.entries('good')).toHaveLength(12)
    const told = stage.writer.resumption.finished.map(({ generation, text }) => [generation, text === ''])
    expect(told.toSorted()).toEqual([
      ['bad', true],
      ['good', false],
    ])
  })
})

function damageBlocks(stage: RecordingStage, generation: string): void {
  const { changes } = stage.db
    .prepare(
      'UPDATE entry_blocks SET codec = 1 WHERE generation = (SELECT id FROM generations WHERE generation = ?)',
    )
    .run(generation)
  expect(changes).toBeGreaterThan(0)
}

describe('how far the log is recorded', () => {
  test('is its head while nothing is lost, and from the first loss on what was before it', async () => {
    const stage = stageOf({ maxUnwritten: 20_000 })
    generate(stage, 'g', 100, false)
    await stage.recorder.flush()
    expect(factOf(stage, 'seq')).toBe(101)
    const pages = stage.all<{ page_count: number }>('PRAGMA page_count')[0]?.page_count
    stage.db.exec(`PRAGMA max_page_count = ${pages}`)
    // The first batches wait; what comes when they fill the room is lost.
    for (let i = 100; i < 3000; i++) {
      stage.log.append(tokenEvent('g', i), 0)
      if (i % 100 === 0) await stage.recorder.flush()
    }
    await stage.recorder.flush()
    expect(stage.lost).toBeGreaterThan(0)
    stage.db.exec('PRAGMA max_page_count = 1000000')
    await vi.waitFor(() => expect(stage.news).toContainEqual({ type: 'trouble', reason: null }), {
      timeout: 20_000,
    })
    for (let i = 3000; i < 3100; i++) stage.log.append(tokenEvent('g', i), 0)
    await stage.recorder.flush()
    const indexes = stage
      .entries('g')
      .flatMap(entry => (entry.type === 'token_activation' ? [entry.index] : []))
    const whole = indexes.findIndex((index, i) => index !== i)
    expect(whole).toBeGreaterThan(100)
    expect(factOf(stage, 'seq')).toBe(1 + whole)
  })

  test('is nothing where it is recorded without text', async () => {
    const stage = stageOf({ mode: 'meta' })
    generate(stage, 'g', 10)
    await stage.recorder.flush()
    expect(factOf(stage, 'seq')).toBe(0)
    expect(stage.row('g')).toMatchObject({ run: 1, tokens: 10 })
  })
})
