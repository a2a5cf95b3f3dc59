import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import * as sqlite from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { Store, type StoreOptions } from '../../store/store.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'
import { RecordingMeter } from '../support/hub-meter.ts'
import { randomFrom } from '../support/random.ts'
import { entriesOf, readOnly, rowOf } from '../support/recording-stage.ts'
import { rounds } from '../support/rounds.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { soon } from '../support/soon.ts'

const PROCESS = join(import.meta.dirname, '../support/recording-process.ts')

let folder = ''
let meter: RecordingMeter
let said: string[] = []
let opened: Store[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-store-'))
  meter = new RecordingMeter()
  said = []
  opened = []
})
afterEach(async () => {
  for (const store of opened) await store.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function open(options: Partial<StoreOptions> = {}): Promise<{ store: Store; log: TokenLog }> {
  const retention = { ageMs: null, bytes: null }
  const say = (_level: string, text: string) => said.push(text)
  const store = await Store.open({ folder, record: 'full', retention, meter, say, ...options })
  opened.push(store)
  const log = new TokenLog({ place: mapPosition, ...store.resumption })
  store.follow(log)
  return { store, log }
}

function generate(log: TokenLog, generation: string, tokens: number, end = true): void {
  log.append(stateEvent(generation, 'generating'), 0)
  for (let i = 0; i < tokens; i++) log.append(tokenEvent(generation, i), 0)
  if (end) log.append(stateEvent(generation, 'done'), 0)
}

const everything = { limit: 1000, cursor: null, state: null, model: null, q: null }
const lostEntries = () =>
  meter.counted
    .filter(({ name }) => name === 'tokenscope_records_lost_entries_total')
    .reduce((n, c) => n + c.value, 0)
const refusalOf = async (opening: Promise<unknown>) => {
  const error = await opening.then(
    () => null,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(TokenscopeError)
  return error as TokenscopeError
}

/** Waits for what comes without being asked for. */

describe('the store', () => {
  test('has everything in the tables when it has stopped, with nothing beside the file, and goes on after it', async () => {
    const first = await open()
    expect(first.store.resumption).toMatchObject({
      epoch: expect.stringMatching(/^[0-9a-f]{10}\.1$/),
      nextBlock: 0,
    })
    for (let g = 0; g < 60; g++) generate(first.log, `g${g}`, 20)
    generate(first.log, 'open', 300, false)
    await first.store.stop()
    expect(readdirSync(folder)).toEqual(['records.db'])
    expect(lostEntries()).toBe(0)
    const written = meter.counted.filter(({ name }) => name === 'tokenscope_records_entries_total')
    expect(written.reduce((n, { value }) => n + value, 0)).toBe(60 * 22 + 301)

    const { store, log } = await open()
    expect(store.resumption.epoch).toBe(first.store.resumption.epoch.replace(/1$/, '2'))
    expect(store.resumption.nextBlock).toBe(first.log.nextBlock)
    expect(store.resumption.finished.map(({ generation }) => generation)).toEqual([
      ...Array.from({ length: 49 }, (_, i) => `g${i + 11}`),
      'open',
    ])
    expect(store.resumption.finished.at(-1)).toMatchObject({
      state: 'interrupted',
      ending: 'lost',
      tokens: 300,
    })
    expect(log.generations()).toEqual(store.resumption.finished)
    expect((await store.records.list(everything)).items).toHaveLength(61)
    expect(store.report()).toMatchObject({ name: 'records', status: 'ok', facts: { lost_entries: 0 } })
  })

  test('tells the log those that ended last, in the order in which they ended', async () => {
    const { store, log } = await open()
    const generations = Array.from({ length: 70 }, (_, i) => `g${i}`)
    for (const generation of generations) generate(log, generation, 3, false)
    const random = randomFrom(5)
    const ends = generations.toSorted(() => random() - 0.5)
    for (const [i, generation] of ends.entries()) {
      log.append(stateEvent(generation, 'done'), 0)
      if (i % 20 === 0) await store.records.get(generation)
    }
    const told = log.generations()
    expect(told.map(({ generation }) => generation)).toEqual(ends.slice(20))
    await store.stop()
    expect((await open()).store.resumption.finished).toEqual(told)
  })

  test('starts nothing for who asks while it stops, or later', async () => {
    const { store, log } = await open()
    generate(log, 'g', 5000)
    expect(await store.records.get('g')).toMatchObject({ tokens: 5000 })
    let stopped = false
    const stopping = store.stop().then(() => {
      stopped = true
    })
    const ask = () =>
      store.records.list(everything).then(
        () => 'answered',
        error => error.code,
      )
    const asked: Promise<string>[] = []
    while (!stopped) {
      asked.push(ask())
      await new Promise(setImmediate)
    }
    await stopping
    asked.push(ask())
    const answers = await Promise.all(asked)
    expect(answers.at(-1)).toBe('RECORDS_UNAVAILABLE')
    expect([...new Set(answers)].every(answer => ['answered', 'RECORDS_UNAVAILABLE'].includes(answer))).toBe(
      true,
    )
    expect(readdirSync(folder)).toEqual(['records.db'])
  })

  test('answers as it is by now', async () => {
    const { store, log } = await open()
    generate(log, 'g', 5000, false)
    expect(await store.records.get('g')).toMatchObject({ state: 'generating', tokens: 5000 })
    log.append(stateEvent('g', 'done'), 0)
    expect(await store.records.edit('g', { version: 1, name: 'n' })).toMatchObject({
      state: 'done',
      name: 'n',
    })
    await store.records.remove('g')
    expect((await refusalOf(store.records.get('g'))).code).toBe('NOT_FOUND')
  })

  test('records nothing where it is told so, and what is there stays readable', async () => {
    const { store, log } = await open()
    generate(log, 'kept', 5)
    await store.stop()
    const off = await open({ record: 'off' })
    generate(off.log, 'other', 5)
    const request = {
      method: 'POST',
      target: '/',
      headers: [],
      body: null,
      correlationId: null,
      startedAt: 0,
    }
    expect(off.store.tapes.open({ ...request, generations: () => ['other'] })).toBeNull()
    expect((await off.store.records.list(everything)).items.map(({ generation }) => generation)).toEqual([
      'kept',
    ])
    expect((await off.store.records.edit('kept', { version: 1, note: 'x' })).version).toBe(2)
    expect(off.store.report().detail).toMatch(/nothing is recorded/)
  })

  test('goes on where the thread that writes ends; what it cost is said until the next start', async () => {
    const threads: Worker[] = []
    const onThread = (thread: Worker) => threads.push(thread)
    process.on('worker', onThread)
    try {
      const { store, log } = await open()
      generate(log, 'before', 10)
      generate(log, 'during', 10, false)
      await store.flush()
      for (let i = 10; i < 20; i++) log.append(tokenEvent('during', i), 0)
      await threads[0]?.terminate()
      expect(store.report().status).toBe('degraded')
      for (let i = 20; i < 30; i++) log.append(tokenEvent('during', i), 0)
      log.append(stateEvent('during', 'done'), 0)
      await soon(() => expect(said).toContainEqual(expect.stringMatching(/^Recording works again/)))
      generate(log, 'after', 10)
      const during = await store.records.get('during')
      expect(during.state).toBe('done')
      expect(during.tokens + lostEntries()).toBe(30)
      expect((await store.records.get('after')).complete).toBe(true)
      expect((await store.records.edit('before', { version: 1, name: 'n' })).name).toBe('n')
      expect(store.report()).toMatchObject({
        status: 'degraded',
        detail: expect.stringMatching(/thread ended/),
      })
      expect(said.filter(text => /its thread ended/.test(text)).length).toBeGreaterThan(0)

      // One that ends over and over is not started again. The second thread that was started is this one.
      let writer = threads[1]
      for (const times of [2, 3]) {
        await writer?.terminate()
        await soon(() => expect(said.filter(text => /^Recording works again/.test(text))).toHaveLength(times))
        writer = threads.at(-1)
      }
      await writer?.terminate()
      await soon(() => expect(store.report().detail).toMatch(/restart Tokenscope/))
      await store.flush()
      expect(log.append(tokenEvent('after', 10), 0)).toBeGreaterThan(0)
    } finally {
      process.off('worker', onThread)
    }
    await opened.pop()?.stop()
    const again = await open()
    expect(again.store.report().status).toBe('ok')
    expect((await again.store.records.get('after')).state).toBe('done')
  })

  test('is degraded once something could never be recorded, whatever else is', async () => {
    const { store, log } = await open()
    generate(log, 'bad', 0, false)
    await store.flush()
    const db = new sqlite.DatabaseSync(join(folder, 'records.db'))
    db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON entry_blocks WHEN NEW.tokens = 7
      BEGIN SELECT RAISE(ABORT, 'nobody expected this'); END`)
    db.close()
    for (let i = 0; i < 7; i++) log.append(tokenEvent('bad', i), 0)
    generate(log, 'good', 3)
    expect((await store.records.get('good')).complete).toBe(true)
    expect(await store.records.get('bad')).toMatchObject({ complete: false, tokens: 0 })
    expect(store.report()).toMatchObject({
      status: 'degraded',
      detail: expect.stringMatching(/7 entries.*nobody expected this/),
      facts: { lost_entries: 7 },
    })
    expect(lostEntries()).toBe(7)
    expect(said).toContainEqual(expect.stringMatching(/7 entries of bad could not be recorded/))
  })

  test('is refused where the file is of a newer version, of another program, or no database', async () => {
    const path = join(folder, 'records.db')
    await (await open()).store.stop()
    const db = new sqlite.DatabaseSync(path)
    db.exec('PRAGMA user_version = 999')
    db.close()
    expect(await refusalOf(open())).toMatchObject({
      code: 'RECORDS',
      message: expect.stringMatching(/newer/),
    })
    writeFileSync(path, 'x'.repeat(10_000))
    expect(await refusalOf(open())).toMatchObject({ code: 'RECORDS', message: expect.stringContaining(path) })
  })
})

const mounts = SmallDisk.isPossible
describe.skipIf(!mounts)(
  `a disk that is full${mounts ? '' : ' (this process may not mount a small one)'}`,
  () => {
    let disk: SmallDisk
    beforeEach(() => {
      disk = SmallDisk.mount(16)
    })
    afterEach(async () => {
      for (const store of opened) await store.stop()
      disk.unmount()
    })

    test('is told loudly and once; recording works again by itself, and nothing is lost', async () => {
      const { store, log } = await open({ folder: disk.path })
      generate(log, 'before', 100)
      await store.records.get('before')
      disk.fill()
      generate(log, 'during', 20_000)
      await soon(() => expect(store.report().status).toBe('degraded'))
      expect(store.report().detail).toMatch(/recording stopped: the disk is full.*streaming goes on/)
      generate(log, 'after', 10)
      // What is there can be read meanwhile.
      expect((await store.records.get('before')).tokens).toBe(100)
      disk.free()
      await soon(() => expect(store.report().status).toBe('ok'))
      for (const [generation, tokens] of [['during', 20_000] as const, ['after', 10] as const]) {
        expect(await store.records.get(generation)).toMatchObject({ tokens, complete: true, state: 'done' })
      }
      expect(said.filter(text => text.startsWith('Recording stopped'))).toHaveLength(1)
      expect(said.at(-1)).toBe('Recording works again; nothing was lost.')
      expect(lostEntries()).toBe(0)
    })

    test('costs what was not written where Tokenscope ends before it has room, and that is said', async () => {
      const { store, log } = await open({ folder: disk.path })
      disk.fill()
      generate(log, 'during', 20_000)
      await soon(() => expect(store.report().status).toBe('degraded'))
      await store.stop()
      expect(lostEntries()).toBe(20_002)
      expect(said.at(-1)).toMatch(/20002 entries were not recorded/)
      disk.free()
      const again = await open({ folder: disk.path })
      expect((await again.store.records.list(everything)).items).toEqual([])
    })
  },
)

describe('a process that is killed while it records', () => {
  test(
    'leaves whole records, with everything in them that was seen as recorded',
    async () => {
      const random = randomFrom(7)
      for (let round = 0; round < rounds(100); round++) {
        const child = spawn(process.execPath, [PROCESS, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
        const lines = await linesUntilKilled(child, 20 + random() * 600)
        // As it was left: before a start that repairs.
        const left = readOnly(join(folder, 'records.db'))
        expect(left.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
        left.close()
        const { store } = await open()
        const db = readOnly(join(folder, 'records.db'))
        expect(db.prepare('SELECT count(*) AS n FROM generations WHERE ended_at IS NULL').get()).toEqual({
          n: 0,
        })
        expect(db.prepare('SELECT count(*) AS n FROM exchanges WHERE outcome IS NULL').get()).toEqual({
          n: 0,
        })
        for (const line of lines) {
          const [id = '', tokens] = line.split(' ')
          const row = rowOf(db, id)
          expect(row).toMatchObject({ state: 'done', tokens: Number(tokens), missing: 0, prompt: id })
          expect(entriesOf(db, id)).toHaveLength(Number(tokens) + 2)
        }
        for (const { generation } of db.prepare('SELECT generation FROM generations').all()) {
          const tokens = entriesOf(db, generation as string).flatMap(e =>
            e.type === 'token_activation' ? [e.index] : [],
          )
          expect(tokens).toEqual(tokens.map((_, i) => i))
        }
        db.close()
        await store.stop()
        opened.pop()
      }
    },
    rounds(100) * 20_000,
  )
})

/** What it printed until it was killed, so many milliseconds after it began to record. */
async function linesUntilKilled(child: ChildProcess, ms: number): Promise<string[]> {
  const lines: string[] = []
  const ended = new Promise(resolve => child.once('close', resolve))
  const ready = new Promise<void>(resolve => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
      if (line === 'ready') resolve()
      else lines.push(line)
    })
  })
  await Promise.race([ready, ended])
  await sleep(ms)
  child.kill('SIGKILL')
  await ended
  return lines
}
