import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sizeText } from '../../../events/quantities.ts'
import { BackupSchedule, type BackupScheduleOptions } from '../../../store/backup/backup-schedule.ts'
import { makeRecords, readRecords } from '../../support/sample-records.ts'

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 10, 21, 12)

let data: string
let backups: string
let schedule: BackupSchedule | null
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'tokenscope-schedule-'))
  backups = join(data, 'backups')
  schedule = null
})
afterEach(async () => {
  await schedule?.stop()
  rmSync(data, { recursive: true, force: true })
})

/** A schedule by a clock that stands still, and what it said; resolves with the first that it says. */
async function firstWord(everyMs: number, time: number, more: Partial<BackupScheduleOptions> = {}) {
  const { promise, resolve } = Promise.withResolvers<[level: string, text: string]>()
  schedule = new BackupSchedule({
    folder: data,
    everyMs,
    say: (level, text) => resolve([level, text]),
    now: () => time,
    ...more,
  })
  schedule.start()
  return promise
}

/** Places a backup of that name. */
function place(...names: string[]): void {
  mkdirSync(backups, { recursive: true })
  for (const name of names) writeFileSync(join(backups, name), 'a backup')
}

it('makes the first at once, checked, and says so', async () => {
  makeRecords(data, { generations: 9 })
  const [level, text] = await firstWord(HOUR, NOON)
  const file = join(backups, 'records-2026-11-21T12-00-00Z.db')
  expect([level, text]).toEqual(['info', `backed up ${sizeText(statSync(file).size)} of records: ${file}`])
  expect(readdirSync(backups)).toEqual(['records-2026-11-21T12-00-00Z.db'])
  expect(readRecords(file)).toMatchObject({ generations: 9, integrity: 'ok' })
  expect(schedule?.report()).toMatchObject({
    name: 'backups',
    status: 'ok',
    detail: 'every 1 h, the newest of 2026-11-21T12:00:00Z',
  })
})

it('counts from the newest that is there: what is due is made, what is not is waited for', async () => {
  makeRecords(data)
  place('records-2026-11-21T10-59-59Z.db')
  await firstWord(HOUR, NOON)
  expect(readdirSync(backups)).toEqual(['records-2026-11-21T10-59-59Z.db', 'records-2026-11-21T12-00-00Z.db'])
  await schedule?.stop()

  // Not yet due; then the clock goes on, and it is.
  let now = NOON + HOUR - 50
  const made = Promise.withResolvers<string>()
  schedule = new BackupSchedule({
    folder: data,
    everyMs: HOUR,
    say: (_, text) => made.resolve(text),
    now: () => now,
  })
  schedule.start()
  expect(readdirSync(backups)).toHaveLength(2)
  now += 50
  expect(await made.promise).toContain('records-2026-11-21T13-00-00Z.db')
})

it('does not wait for one of the future, by a clock that was wrong, longer than it takes to be due', async () => {
  makeRecords(data)
  place('records-2036-01-01T00-00-00Z.db')
  let now = NOON
  const said: string[] = []
  const made = Promise.withResolvers<void>()
  const say = (_level: string, text: string) => {
    said.push(text)
    made.resolve()
  }
  schedule = new BackupSchedule({ folder: data, everyMs: 20, say, now: () => now++ })
  schedule.start()
  await made.promise
  expect(said[0]).toContain('records-2026-11-21T12-00-00Z.db')
})

it('keeps the newest seven, and touches nothing else', async () => {
  makeRecords(data)
  const old = Array.from({ length: 9 }, (_, day) => `records-2026-11-0${day + 1}T00-00-00Z.db`)
  place(...old, 'records-2026-11-01T00-00-00Z.db.txt', 'mine.db')
  await firstWord(HOUR, NOON)
  await schedule?.stop()
  expect(readdirSync(backups).sort()).toEqual(
    [
      ...old.slice(3),
      'records-2026-11-21T12-00-00Z.db',
      'records-2026-11-01T00-00-00Z.db.txt',
      'mine.db',
    ].sort(),
  )
})

it('is loud about a failure, until the next that does not fail', async () => {
  writeFileSync(backups, 'a file in the place of the folder')
  makeRecords(data)
  const words: [string, string][] = []
  let heard = Promise.withResolvers<void>()
  const say = (level: string, text: string) => {
    words.push([level, text])
    heard.resolve()
  }
  schedule = new BackupSchedule({ folder: data, everyMs: 100, say })
  schedule.start()
  await heard.promise
  expect(words[0]?.[0]).toBe('error')
  expect(words[0]?.[1]).toMatch(/^The backup failed: .*EEXIST.*\. It is tried again at \d{4}-.*Z\.$/)
  expect(schedule.report()).toMatchObject({ status: 'degraded' })
  expect(schedule.report().detail).toMatch(/^the last backup failed: .*tried again at \d{4}-.*Z\.$/)
  rmSync(backups)
  while (words.at(-1)?.[0] === 'error') {
    heard = Promise.withResolvers<void>()
    await heard.promise
  }
  expect(schedule.report()).toMatchObject({ status: 'ok' })
})

it('waits an hour at most after a failure, however rare backups are', async () => {
  const [, text] = await firstWord(30 * 24 * HOUR, NOON)
  expect(text).toMatch(/It is tried again at 2026-11-21T13:00:00Z\.$/)
})

it('says what is wrong with records that cannot be backed up', async () => {
  const [level, text] = await firstWord(HOUR, NOON)
  expect(level).toBe('error')
  expect(text).toContain(`There are no records in ${data} to back up.`)
})

it('leaves nothing of one that is stopped in its midst', async () => {
  makeRecords(data, { generations: 2000, bytes: 50_000 })
  const isBegun = () => existsSync(backups) && readdirSync(backups).some(name => name.endsWith('.part'))
  let said: string[]
  // One that has ended before it was seen to begin shows nothing.
  do {
    rmSync(backups, { recursive: true, force: true })
    said = []
    schedule = new BackupSchedule({ folder: data, everyMs: HOUR, say: (_, text) => said.push(text) })
    schedule.start()
    while (!isBegun() && said.length === 0) await new Promise(resolve => setImmediate(resolve))
    await schedule.stop()
  } while (said.length > 0)
  expect(readdirSync(backups)).toEqual([])
  expect(readRecords(join(data, 'records.db')).generations).toBe(2000)
})

it('never removes the one that it made, whatever the clock said before', async () => {
  makeRecords(data)
  place(...Array.from({ length: 8 }, (_, year) => `records-${2030 + year}-01-01T00-00-00Z.db`))
  let now = NOON
  const made = Promise.withResolvers<string>()
  const say = (_level: string, text: string) => made.resolve(text)
  schedule = new BackupSchedule({ folder: data, everyMs: 20, say, now: () => now++ })
  schedule.start()
  expect(await made.promise).toContain('records-2026-11-21T12-00-00Z.db')
  await schedule.stop()
  expect(readdirSync(backups)).toContain('records-2026-11-21T12-00-00Z.db')
})
