/** Records to measure with, written straight into their tables. */
import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { CODEC_RAW, IDS_PER_MS } from '../../store/schema.ts'
import { modelFacet, stateFacet } from '../../store/stored-text.ts'
import { between, oneOf, randomFrom } from '../../test/support/random.ts'

/** Words of the texts, the frequent ones first. */
const WORDS = 20_000
const TEXT_WORDS = 40
const MODELS = ['qwen2.5-7b', 'llama-3.3-70b', 'gemma-3-12b', 'mistral-small', 'a-model-of-one-in-a-thousand']
const BLOCK_BYTES = 64 * 1024
const MS_APART = 1000

/** In a text of every fifth generation; in one of each thousand; in one of all. */
export const COMMON_WORD = 'wcommon'
export const RARE_WORD = 'wrare'
export const ONLY_WORD = 'wonly'
/** The model of one generation in a thousand. */
export const RARE_MODEL = MODELS.at(-1) as string

/**
 * Adds finished generations, each a second after the one before it, the last one now.
 *
 * @param folder a data folder that has records
 */
export function addGenerations(folder: string, count: number): void {
  const database = open(folder)
  const random = randomFrom(7)
  const row = database.prepare(
    `INSERT INTO generations (id, generation, origin, state, model, last, began, ended_at, entries, tokens, preview, prompt)
     VALUES (?, ?, 'live', ?, ?, ?, ?, ?, 0, 0, ?, ?)`,
  )
  const words = database.prepare('INSERT INTO words (rowid, prompt, text, facets) VALUES (?, ?, ?, ?)')
  const first = Date.now() - count * MS_APART
  database.exec('BEGIN')
  for (let i = 0; i < count; i++) {
    const ms = first + i * MS_APART
    const state = i % 20 === 0 ? 'interrupted' : 'done'
    const model = i % 1000 === 0 ? RARE_MODEL : oneOf(random, MODELS.slice(0, -1))
    const marks = [
      i % 5 === 0 ? COMMON_WORD : '',
      i % 1000 === 500 ? RARE_WORD : '',
      i === count >> 1 ? ONLY_WORD : '',
    ]
    const text = `${textOf(random)} ${marks.join(' ')}`
    const prompt = `tell me about w${between(random, 0, WORDS)}`
    const generation = `g_BENCH${String(i).padStart(21, '0')}`
    row.run(
      ms * IDS_PER_MS,
      generation,
      state,
      model,
      lastOf(generation, state, model),
      ms * 10,
      ms / 1000 + 1,
      text.slice(0, 200),
      prompt,
    )
    words.run(ms * IDS_PER_MS, prompt, text, `${stateFacet(state)} ${modelFacet(model)}`)
  }
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

/** Adds one finished generation with blocks of so many bytes in all, which nothing can compress. */
export function addBytes(folder: string, bytes: number): void {
  const database = open(folder)
  const block = database.prepare(
    `INSERT INTO entry_blocks (generation, ord, entries, first_token, tokens, handle, codec, data)
     VALUES (?, ?, 1, ?, 1, 1, ${CODEC_RAW}, ?)`,
  )
  const row = database.prepare(
    `INSERT INTO generations (id, generation, origin, state, model, last, began, ended_at, entries, tokens, bytes)
     VALUES (?, ?, 'import', 'done', NULL, ?, ?, 0, ?, ?, ?)`,
  )
  const blocks = Math.ceil(bytes / BLOCK_BYTES)
  const generation = 'g_BENCHBYTES'
  database.exec('BEGIN')
  row.run(IDS_PER_MS, generation, lastOf(generation, 'done', null), 10, blocks, blocks, bytes)
  const data = new Uint8Array(BLOCK_BYTES)
  for (let ord = 0; ord < blocks; ord++) {
    randomFillSync(data)
    block.run(IDS_PER_MS, ord, ord, data)
    if (ord % 1000 === 999) database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE); BEGIN')
  }
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

function open(folder: string): sqlite.DatabaseSync {
  const database = new sqlite.DatabaseSync(join(folder, 'records.db'), { timeout: 5000 })
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000')
  return database
}

/** Words as frequent as in a language: the nth in proportion to 1/n (Zipf). */
function textOf(random: () => number): string {
  const words: string[] = []
  for (let i = 0; i < TEXT_WORDS; i++) words.push(`w${Math.floor(WORDS ** random())}`)
  return words.join(' ')
}

function lastOf(generation: string, state: string, model: string | null): string {
  return JSON.stringify({
    generation,
    state,
    model,
    upstream: '127.0.0.1:1234',
    tokens_processed: 0,
    total_tokens: null,
    estimated: false,
    elapsed_ms: 1000,
    ttft_ms: 100,
    progress: null,
    ending: 'stop',
    error: null,
    timings: null,
    parent: null,
    cached: false,
  })
}
