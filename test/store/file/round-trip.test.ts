import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Tape } from '../../../bridge/tape.ts'
import { TokenLog } from '../../../broadcast/token-log.ts'
import { mapPosition } from '../../../compositor/layout/map.ts'
import { Store } from '../../../store/store.ts'
import { anyRecording } from '../../support/any-recording.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'
import { RecordingMeter } from '../../support/hub-meter.ts'
import { rounds } from '../../support/rounds.ts'

/** A store with a log that it follows. */
class Scope {
  readonly #folder = mkdtempSync(join(tmpdir(), 'round-trip-'))
  store!: Store
  log!: TokenLog

  async open(): Promise<this> {
    const retention = { ageMs: null, bytes: null }
    const [meter, say] = [new RecordingMeter(), () => {}]
    this.store = await Store.open({ folder: this.#folder, record: 'full', retention, meter, say })
    this.log = new TokenLog({ place: mapPosition, ...this.store.resumption })
    this.store.follow(this.log)
    return this
  }

  async close(): Promise<void> {
    await this.store.stop()
    rmSync(this.#folder, { recursive: true })
  }

  tape(generations: string[], body: string | null = '{"messages":[{"role":"user","content":"why"}]}'): Tape {
    return this.store.tapes.open({
      method: 'POST',
      target: '/v1/chat/completions?key=secret',
      headers: ['Authorization', 'Bearer secret', 'X-Test', 'a', 'x-test', 'b'],
      body: body === null ? null : Buffer.from(body),
      correlationId: 'r-1',
      startedAt: performance.now(),
      generations: () => generations,
    }) as Tape
  }

  rows(table: string): number {
    using database = new sqlite.DatabaseSync(join(this.#folder, 'records.db'), {
      readOnly: true,
      timeout: 5000,
    })
    return (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
  }

  async export(id: string, format: 'jsonl' | 'csv' | 'txt' = 'jsonl'): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(this.store.records.export(id, format)))
  }
}

async function* only(bytes: Uint8Array) {
  yield bytes
}

let here: Scope
let there: Scope
let count = 0
let ids: [string, string]
beforeAll(async () => {
  here = await new Scope().open()
  there = await new Scope().open()
})
afterAll(async () => {
  await here.close()
  await there.close()
})
beforeEach(() => {
  count++
  ids = [`g_${count}_A`, `g_${count}_B`]
})

const all = { limit: 100, cursor: null, state: null, model: null, q: null }

describe('from one store to another', () => {
  test('both choices of a request go with all of its answer, and share it again', async () => {
    const tape = here.tape(ids)
    for (const id of ids) here.log.append(stateEvent(id, 'queued'), 0)
    tape.head(200, ['Content-Type', 'text/event-stream', 'Set-Cookie', 'x=secret'], performance.now())
    for (let i = 0; i < 300; i++) {
      for (const id of ids) here.log.append({ ...tokenEvent(id, i), logprob: -0.1 * i }, 0)
      tape.bytes(Buffer.from(`data: ${i}\n\n`), performance.now())
    }
    for (const id of ids) here.log.append(stateEvent(id, 'done'), 0)
    tape.end('complete')
    const [a, b] = await Promise.all(ids.map(id => here.export(id)))
    const text = (b as Buffer).toString()
    expect(text).toContain(`"choice":1,`)
    expect(text).toContain(`"generations":["${ids[0]}","${ids[1]}"]`)
    expect(text.match(/"type":"bytes"/g)).toHaveLength(300)
    expect(text).not.toContain('secret')

    const files = Buffer.concat([b as Buffer, a as Buffer])
    expect(await there.store.records.import(only(files))).toEqual({ imported: [ids[1], ids[0]], present: [] })
    expect(await there.export(ids[0])).toEqual(a)
    expect(await there.export(ids[1])).toEqual(b)
    expect(await there.store.records.import(only(files))).toEqual({ imported: [], present: [ids[1], ids[0]] })
    const [first, second] = await Promise.all(ids.map(id => there.store.records.get(id)))
    expect(first?.response).toMatchObject({ status: 200, outcome: 'complete' })
    expect(there.rows('exchanges')).toBe(1)
    expect(second?.request?.headers).toEqual({ 'x-test': 'a, b' })
  })

  test('names go with it, and what is changed afterwards makes it another one', async () => {
    const [id] = ids
    here.log.append(tokenEvent(id, 0, 'Nebuchadnezzar'), 0)
    here.log.append(stateEvent(id, 'done'), 0)
    await here.store.records.edit(id, {
      version: 1,
      name: 'a "name"\0',
      tags: ['x,y'],
      note: 'line\nline\ud800',
    })
    const file = await here.export(id)
    await there.store.records.import(only(file))
    const found = await there.store.records.list({ ...all, q: 'nebuch* name' })
    expect(found.items).toMatchObject([
      { generation: id, origin: 'import', name: 'a "name"\ufffd', tags: ['x,y'], version: 1 },
    ])
    expect(await there.export(id)).toEqual(file)
    await there.store.records.edit(id, { version: 1, note: null })
    await expect(there.store.records.import(only(file))).rejects.toMatchObject({ code: 'ALREADY_RECORDED' })
    await there.store.records.remove(id)
    expect(await there.store.records.import(only(file))).toEqual({ imported: [id], present: [] })
  })

  test('a running generation is told as it is by now, and what was read from a file is not of the past', async () => {
    const [id, other] = ids
    here.log.append(stateEvent(id, 'generating'), 0)
    here.log.append(tokenEvent(id, 0, 'so far'), 0)
    expect(await here.store.records.get(id)).toMatchObject({ state: 'generating', text: 'so far', tokens: 1 })
    expect((await here.export(id, 'txt')).toString()).toBe('so far')
    expect((await here.store.records.list({ ...all, state: 'generating' })).items).toHaveLength(1)
    await expect(here.store.records.remove(id)).rejects.toMatchObject({ code: 'STILL_RUNNING' })
    here.log.append(stateEvent(id, 'done'), 0)
    await there.store.records.import(only(await here.export(id)))
    there.log.append(tokenEvent(other, 0), 0)
    there.log.append(stateEvent(other, 'done'), 0)
    const past = await there.store.past.open(1_000_000)
    expect(past).toMatchObject({ seq: there.log.head })
    const bytes = Buffer.from((await past.next()) as Uint8Array).toString('latin1')
    past.close()
    expect(bytes).toContain(other)
    expect(bytes).not.toContain(id)
  })

  test('any recording is the same file again', async () => {
    let n = 0
    await fc.assert(
      fc.asyncProperty(anyRecording('g_any'), async ({ events }) => {
        const id = `g_${count}_${++n}`
        for (const event of events) here.log.append({ ...event, generation: id }, 0)
        const file = await here.export(id)
        expect(await there.store.records.import(only(file))).toEqual({ imported: [id], present: [] })
        expect((await there.export(id)).equals(file)).toBe(true)
        const [as, is] = [await here.store.records.get(id), await there.store.records.get(id)]
        expect({ ...is, origin: '', bytes: 0 }).toEqual({ ...as, origin: '', bytes: 0 })
      }),
      { numRuns: rounds(400) },
    )
  })
})
