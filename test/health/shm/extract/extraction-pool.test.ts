import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ExtractionPool } from '../../../../health/shm/extract/extraction-pool.ts'
import type { Extraction } from '../../../../health/shm/imports.ts'
import type { SourceFile } from '../../../../health/shm/source-tree.ts'
import { rounds } from '../../../support/rounds.ts'

const CRASHING = new URL('./crashing-worker.ts', import.meta.url)

let root: string
const pools: ExtractionPool[] = []

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'extraction-pool-'))
})
afterAll(() => rmSync(root, { recursive: true }))
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.stop()
})

function poolOf(options: { threads?: number; callerHelps?: boolean; worker?: URL }): ExtractionPool {
  const pool = new ExtractionPool(options)
  pools.push(pool)
  return pool
}

/** Files of which each imports the next one; `names` are among them. */
function filesOf(count: number, names: readonly string[] = []): SourceFile[] {
  const paths = Array.from(
    { length: count - names.length },
    (_, i) => `file_${String(i).padStart(4, '0')}.ts`,
  )
  return [...paths, ...names].sort().map((path, i) => {
    const source = `${'\n'.repeat(i % 50)}import './next_${i}.ts'\n`
    writeFileSync(join(root, path), source)
    return { path, language: 'typescript', size: source.length, changedMs: 0 }
  })
}

const codesOf = (warnings: readonly { code: string; path: string | null }[]) =>
  warnings.map(({ code, path }) => `${code} ${path}`)

describe('ExtractionPool', () => {
  it('answers the same on the calling thread, on one thread and on several, in the order of the files', async () => {
    const files = filesOf(2000, ['a_binary.ts', 'b_folder.ts', 'c_gone.ts', 'd_broken.ts'])
    writeFileSync(join(root, 'a_binary.ts'), 'a\0b')
    writeFileSync(join(root, 'd_broken.ts'), "const a = `\nimport './b'")
    for (const name of ['b_folder.ts', 'c_gone.ts']) rmSync(join(root, name))
    mkdirSync(join(root, 'b_folder.ts'))
    const results = []
    for (const threads of [0, 1, 3]) results.push(await poolOf({ threads }).extract(root, files))
    results.push(await poolOf({ threads: 2, callerHelps: true }).extract(root, files))
    results.push(await poolOf({ threads: 1, callerHelps: true }).extract(root, files))
    rmSync(join(root, 'b_folder.ts'), { recursive: true })
    const [here] = results
    for (const result of results) expect(result).toEqual(here)
    expect(here?.extractions.map(one => one?.imports[0]?.specifier ?? null).slice(4)).toEqual(
      files.map((_, i) => `./next_${i}.ts`).slice(4),
    )
    expect(here?.extractions.map(one => one?.imports[0]?.line).slice(4, 60)).toEqual(
      files.map((_, i) => (i % 50) + 1).slice(4, 60),
    )
    expect(here?.extractions.slice(1, 3)).toEqual([null, null])
    expect(codesOf(here?.warnings ?? [])).toEqual([
      'BINARY_FILE a_binary.ts',
      'UNREADABLE_FILE b_folder.ts',
      'VANISHED_FILE c_gone.ts',
      'SYNTAX_ERROR d_broken.ts',
    ])
  })

  it('reads files while others are still being found, however they come', async () => {
    const files = filesOf(1500, ['a_binary.ts'])
    writeFileSync(join(root, 'a_binary.ts'), 'a\0b')
    const expected = await poolOf({ threads: 0 }).extract(root, files)
    const parts = fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 6 })
    const options = fc.constantFrom(
      { threads: 0 },
      { threads: 1 },
      { threads: 2 },
      { threads: 2, callerHelps: true },
    )
    await fc.assert(
      fc.asyncProperty(parts, options, async (sizes, options) => {
        const pool = poolOf(options)
        const told: (Extraction | null)[] = files.map(() => null)
        const extracting = pool.begin(root, { onExtracted: (file, found) => (told[file] = found) })
        let at = 0
        for (const size of [...sizes, files.length]) {
          extracting.add(files.slice(at, at + size))
          at += size
          await setImmediate()
        }
        const result = await extracting.end()
        expect(result).toEqual(expected)
        expect(told).toEqual(result.extractions)
        await pool.stop()
      }),
      { numRuns: rounds(60) },
    )
  })

  it('has read most of many files when the last one is found', async () => {
    const files = filesOf(1500)
    let done = 0
    const extracting = poolOf({ threads: 1 }).begin(root, { onProgress: files => (done = files) })
    extracting.add(files)
    await expect.poll(() => done).toBeGreaterThan(1000)
    expect((await extracting.end()).extractions).not.toContain(null)
  })

  it('stops while it waits for more files, with the reason', async () => {
    const files = filesOf(1500)
    const stop = new AbortController()
    const extracting = poolOf({ threads: 2 }).begin(root, { signal: stop.signal })
    extracting.add(files)
    await setImmediate()
    stop.abort(new Error('enough'))
    await expect(extracting.end()).rejects.toThrow('enough')
  })

  it('can be used again, and by two at once', async () => {
    const files = filesOf(1600)
    const pool = poolOf({ threads: 2 })
    const [one, other] = await Promise.all([
      pool.extract(root, files),
      pool.extract(root, files.slice(0, 1100)),
    ])
    expect(other.extractions).toEqual(one.extractions.slice(0, 1100))
    expect(await pool.extract(root, files.slice(0, 3))).toEqual({
      extractions: one.extractions.slice(0, 3),
      warnings: [],
    })
    expect(await pool.extract(root, [])).toEqual({ extractions: [], warnings: [] })
  })

  it.each([0, 2])('tells how far it is, with %i threads', async threads => {
    const told: number[] = []
    await poolOf({ threads }).extract(root, filesOf(1700), { onProgress: done => told.push(done) })
    expect(told.length).toBeGreaterThan(2)
    expect(told).toEqual([...told].sort((one, other) => one - other))
    expect(told.at(-1)).toBe(1700)
  })

  it.each([0, 2])('gives up with the reason of the signal, with %i threads', async threads => {
    const pool = poolOf({ threads })
    const files = filesOf(1900)
    const abort = new AbortController()
    const reason = new Error('enough')
    const run = pool.extract(root, files, { signal: abort.signal, onProgress: () => abort.abort(reason) })
    await expect(run).rejects.toBe(reason)
    await expect(pool.extract(root, files, { signal: abort.signal })).rejects.toBe(reason)
    expect((await pool.extract(root, files)).extractions).not.toContain(null)
  })

  it('gives up when it is stopped', async () => {
    const pool = poolOf({ threads: 2 })
    const run = pool.extract(root, filesOf(1900), { onProgress: () => void pool.stop() })
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
    await expect(pool.extract(root, filesOf(3))).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a thread that ends', () => {
  it('costs the file that ends it, by name, and no other one', async () => {
    const files = filesOf(1500, ['file_0100_exits.ts', 'file_0101_throws.ts', 'z_exits.ts'])
    const told: number[] = []
    const pool = poolOf({ threads: 2, worker: CRASHING })
    const { extractions, warnings } = await pool.extract(root, files, { onProgress: done => told.push(done) })
    expect(codesOf(warnings)).toEqual([
      'WORKER_CRASHED file_0100_exits.ts',
      'WORKER_CRASHED file_0101_throws.ts',
      'WORKER_CRASHED z_exits.ts',
    ])
    expect(warnings[1]?.message).toContain('a defect')
    const lost = files.filter((_, i) => extractions[i] === null).map(({ path }) => path)
    expect(lost).toEqual(warnings.map(({ path }) => path))
    expect(told.at(-1)).toBe(1500)
  })

  it('costs nothing where the second try goes well', async () => {
    const files = filesOf(1400, ['once.ts'])
    const { extractions, warnings } = await poolOf({ threads: 1, worker: CRASHING }).extract(root, files)
    expect(warnings).toEqual([])
    expect(extractions).not.toContain(null)
  })

  it('costs the file that takes all its memory', async () => {
    const files = filesOf(1300, ['swells.ts'])
    const pool = poolOf({ threads: 1, worker: CRASHING })
    const { extractions, warnings } = await pool.extract(root, files)
    expect(codesOf(warnings)).toEqual(['WORKER_CRASHED swells.ts'])
    expect(extractions.filter(one => one === null).length).toBe(1)
  })
})

describe('a thread that cannot start', () => {
  it('leaves the work to the calling thread', async () => {
    const worker = new URL('./missing-worker.ts', import.meta.url)
    const files = filesOf(1700)
    const pool = poolOf({ threads: 2, worker })
    const first = await pool.extract(root, files)
    expect(first).toEqual(await poolOf({ threads: 0 }).extract(root, files))
    expect(await pool.extract(root, files)).toEqual(first)
  })
})
