import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { TokenscopeError } from '../../../events/errors.ts'
import type { GenerationState } from '../../../events/generation.ts'
import type { ImportedRecording } from '../../../store/file/import-batch.ts'
import { ThreadedRecords } from '../../../store/reader/records.ts'
import type { ListQuestion, Page, RecordedToken } from '../../../store/recording.ts'
import { ThreadHandle } from '../../../store/thread-handle.ts'
import { FilledRecords } from '../../support/filled-records.ts'
import { stateEvent, tokenEvent } from '../../support/hub-events.ts'

const ENTRY = new URL('../../../store/reader/reader-thread.ts', import.meta.url)
const all: ListQuestion = { limit: 1000, cursor: null, state: null, model: null, q: null }

/** Records that a thread reads, and who fills them here. */
class Stage {
  readonly file = new FilledRecords()
  /** Told in their order: what was asked of the writer, and flushes. */
  readonly calls: string[] = []
  readonly records: ThreadedRecords
  thread: ThreadHandle | null = null

  constructor() {
    this.records = new ThreadedRecords({
      flush: async () => {
        this.calls.push('flush')
      },
      reader: () => {
        this.thread ??= new ThreadHandle({
          entry: ENTRY,
          data: { path: this.file.path },
          onEnd: () => {
            this.thread = null
          },
        })
        return this.thread
      },
      writer: {
        call: async <T>(name: string, argument?: unknown): Promise<T> => {
          this.calls.push(name)
          if (name === 'import') this.file.import(argument as ImportedRecording)
          return argument as T
        },
      },
    })
  }

  /** Puts in generations, one for each state, each a second younger. */
  put(states: GenerationState[], model = 'm'): void {
    for (const state of states) {
      const n = this.file.count('generations')
      this.file.put({
        startedAt: 1_700_000_000 + n,
        events: [tokenEvent(`g_${n}`, 0, `token ${n}`), stateEvent(`g_${n}`, state, { model })],
      })
    }
  }

  /** All pages of a list, ids only. */
  async pages(question: ListQuestion): Promise<string[][]> {
    const pages: string[][] = []
    for (let cursor = question.cursor; ; ) {
      const page = await this.records.list({ ...question, cursor })
      pages.push(page.items.map(({ generation }) => generation))
      cursor = page.next
      if (cursor === null) return pages
    }
  }

  async close(): Promise<void> {
    await this.thread?.stop()
    this.file[Symbol.dispose]()
  }
}

async function refusal(asked: Promise<unknown>): Promise<TokenscopeError> {
  return asked.then(
    () => {
      throw new Error('it was not refused')
    },
    error => error as TokenscopeError,
  )
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(pieces))
}

describe('records', () => {
  let stage: Stage
  beforeAll(() => {
    stage = new Stage()
    stage.put(['done', 'done', 'failed', 'done', 'generating', 'done', 'failed'], 'a')
    stage.put(['done', 'failed', 'done'], 'b')
  })
  afterAll(() => stage.close())
  afterEach(() => {
    stage.calls.length = 0
  })

  test('are listed newest first, page by page, each once, whatever comes meanwhile', async () => {
    expect(await stage.pages({ ...all, limit: 4 })).toEqual([
      ['g_9', 'g_8', 'g_7', 'g_6'],
      ['g_5', 'g_4', 'g_3', 'g_2'],
      ['g_1', 'g_0'],
    ])
    expect(await stage.pages({ ...all, limit: 10 })).toHaveLength(1)
    expect(await stage.pages({ ...all, state: 'done', limit: 2 })).toEqual([
      ['g_9', 'g_7'],
      ['g_5', 'g_3'],
      ['g_1', 'g_0'],
    ])
    expect(await stage.pages({ ...all, model: 'b' })).toEqual([['g_9', 'g_8', 'g_7']])
    expect(await stage.pages({ ...all, model: 'a', state: 'failed', limit: 1 })).toEqual([['g_6'], ['g_2']])
    expect(await stage.pages({ ...all, q: 'token', model: 'a', state: 'done', limit: 3 })).toEqual([
      ['g_5', 'g_3', 'g_1'],
      ['g_0'],
    ])
    expect(await stage.pages({ ...all, state: 'queued' })).toEqual([[]])
    const { next } = await stage.records.list({ ...all, limit: 8 })
    stage.put(['done'])
    expect(await stage.pages({ ...all, cursor: next })).toEqual([['g_1', 'g_0']])
    stage.file.database.exec("DELETE FROM generations WHERE generation = 'g_10'")
  })

  test('whose texts are large are listed on more pages, not on one that no memory holds', async () => {
    const error = { kind: 'unknown' as const, code: null, message: 'x'.repeat(1_500_000), retryable: false }
    for (let n = 0; n < 7; n++) {
      const generation = `g_large_${n}`
      stage.file.put({
        startedAt: 1_600_000_000 + n,
        events: [
          tokenEvent(generation, 0, 'y'.repeat(1_500_000)),
          tokenEvent(generation, 1, 'y'.repeat(5_000_000)),
          tokenEvent(generation, 2, 'z'),
          stateEvent(generation, 'failed', { model: 'large', error }),
        ],
      })
    }
    expect(await stage.pages({ ...all, model: 'large' })).toEqual([
      ['g_large_6', 'g_large_5'],
      ['g_large_4', 'g_large_3'],
      ['g_large_2', 'g_large_1'],
      ['g_large_0'],
    ])
    const indexes: number[][] = []
    for (let cursor: string | null = null; ; ) {
      const page: Page<RecordedToken> = await stage.records.tokens('g_large_0', 10_000, cursor)
      indexes.push(page.items.map(({ index }) => index))
      cursor = page.next
      if (cursor === null) break
    }
    expect(indexes).toEqual([[0], [1], [2]])
    stage.file.database.exec("DELETE FROM generations WHERE model = 'large'")
  })

  test('are asked for once all that was appended is written', async () => {
    await stage.records.list(all)
    await stage.records.get('g_1')
    await stage.records.tokens('g_1', 1, null)
    await bytesOf(stage.records.export('g_1', 'txt'))
    await stage.records.edit('g_1', { version: 1, name: 'x' })
    await stage.records.remove('g_1')
    expect(stage.calls).toEqual([...Array(4).fill('flush'), 'flush', 'edit', 'flush', 'remove'])
  })

  test('refuse a cursor that is none, or of another list', async () => {
    const { next } = await stage.records.list({ ...all, limit: 1 })
    for (const cursor of [
      '',
      'x',
      'g1',
      `${next}=`,
      ` ${next}`,
      `${next}A`,
      Buffer.from('g-1').toString('base64url'),
      Buffer.from('g1.5').toString('base64url'),
      Buffer.from('g1e3').toString('base64url'),
      Buffer.from('g').toString('base64url'),
      Buffer.from('t1').toString('base64url'),
      Buffer.from('g9007199254740993').toString('base64url'),
    ]) {
      expect(await refusal(stage.records.list({ ...all, cursor }))).toMatchObject({
        code: 'BAD_REQUEST',
        param: 'cursor',
      })
    }
    expect(await refusal(stage.records.tokens('g_1', 10, next))).toMatchObject({
      code: 'BAD_REQUEST',
      param: 'cursor',
    })
  })

  test('say what is not recorded', async () => {
    for (const id of ['g_none', '', 'g_1\0', "' OR 1", '\ud800']) {
      expect(await refusal(stage.records.get(id))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await refusal(stage.records.tokens(id, 1, null))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await refusal(bytesOf(stage.records.export(id, 'jsonl')))).toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  test('say what is known of a generation, of its request and its answer', async () => {
    const exchange = stage.file.putExchange({
      startedAt: 1_700_000_100.5,
      headers: { accept: '*/*' },
      body: Buffer.from('{"prompt":"ä"}'),
      correlationId: 'r-7',
      response: { status: 200, headers: { 'content-type': 'text/event-stream' } },
      chunks: [{ atMs: 1, data: Buffer.from('data') }],
    })
    const replay = { of: 'g_1', speed: 4 }
    stage.file.put({
      startedAt: 1_700_000_100.5,
      origin: 'replay',
      exchange,
      name: 'n',
      tags: ['t', 'u'],
      note: 'o',
      prompt: 'ä',
      missing: 1,
      events: [
        stateEvent('g_x', 'queued'),
        { ...tokenEvent('g_x', 0, 'Hel'), kind: 'reasoning', logprob: -1 },
        { ...tokenEvent('g_x', 2, 'lo'), logprob: -3 },
        stateEvent('g_x', 'done', {
          elapsed_ms: 500,
          ttft_ms: 20,
          tokens_processed: 3,
          ending: 'stop',
          replay,
        }),
      ],
    })
    expect(await stage.records.get('g_x')).toEqual({
      generation: 'g_x',
      origin: 'replay',
      state: 'done',
      model: 'test-model',
      upstream: '127.0.0.1:1234',
      ending: 'stop',
      error: null,
      parent: null,
      cached: false,
      replay,
      started_at: 1_700_000_100.5,
      ended_at: 1_700_000_101,
      elapsed_ms: 500,
      ttft_ms: 20,
      tokens: 2,
      tokens_processed: 3,
      total_tokens: null,
      estimated: false,
      timings: null,
      mean_logprob: -2,
      preview: 'Hello',
      prompt: 'ä',
      name: 'n',
      tags: ['t', 'u'],
      note: 'o',
      version: 1,
      complete: false,
      bytes: expect.any(Number),
      text: 'Hello',
      request: {
        method: 'POST',
        target: '/v1/chat/completions',
        headers: { accept: '*/*' },
        body: '{"prompt":"ä"}',
        body_bytes: 15,
        correlation_id: 'r-7',
        started_at: 1_700_000_100.5,
        generations: ['g_x'],
      },
      response: {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        bytes: 4,
        outcome: 'complete',
      },
    })
  })

  test('tell tokens in their order, page by page, whatever their blocks', async () => {
    const texts = Array.from({ length: 2500 }, (_, i) => ` ${i}`)
    const events = texts.map((text, i) => ({ ...tokenEvent('g_long', i, text), logprob: -1 }))
    stage.file.put({
      startedAt: 1_700_000_200,
      events: [stateEvent('g_long', 'queued'), ...events, stateEvent('g_long', 'generating')],
      cuts: [1, 2, 3, 700, 1500, 2501],
      position: index => [index, 7],
    })
    const told: unknown[] = []
    let pages = 0
    for (let cursor: string | null = null; ; pages++) {
      const page = await stage.records.tokens('g_long', 999, cursor)
      told.push(...page.items)
      cursor = page.next
      if (cursor === null) break
      expect(page.items).toHaveLength(999)
    }
    expect(pages).toBe(2)
    expect(told).toEqual(
      events.map(({ type: _type, generation: _generation, ...token }) => ({
        ...token,
        confidence: Math.exp(-1),
        position: [token.index, 7],
      })),
    )
    expect((await stage.records.tokens('g_long', 2500, null)).next).toBeNull()
  })

  test('export and take in through their threads, and what was read from a file has no place on the map', async () => {
    const other = new Stage()
    try {
      const files = await Promise.all(
        ['g_0', 'g_1', 'g_long'].map(id => bytesOf(stage.records.export(id, 'jsonl'))),
      )
      // One of them has not ended.
      const error = await refusal(other.records.import(pieces(Buffer.concat(files), 999)))
      expect(error).toMatchObject({ code: 'BAD_RECORDING' })
      expect((error.details as { line: number }).line).toBeGreaterThan(2500)
      expect(other.calls).toEqual(['flush', 'import', 'import'])
      const again = await other.records.import(pieces(Buffer.concat(files.slice(0, 2)), 7))
      expect(again).toEqual({ imported: [], present: ['g_0', 'g_1'] })
      expect(await other.records.get('g_1')).toMatchObject({ origin: 'import', text: 'token 1' })
      expect((await other.records.tokens('g_1', 10, null)).items).toMatchObject([{ position: null }])
      expect(await bytesOf(other.records.export('g_1', 'jsonl'))).toEqual(files[1])
    } finally {
      await other.close()
    }
  })

  test('end an import with what its bytes end with', async () => {
    async function* broken() {
      yield Buffer.from('{"type"')
      throw new Error('the connection broke')
    }
    expect((await refusal(stage.records.import(broken()))).message).toBe('the connection broke')
  })

  test('are read by a new thread where one has ended', async () => {
    await stage.records.list(all)
    await stage.thread?.stop()
    expect((await stage.records.list({ ...all, limit: 1 })).items).toHaveLength(1)
  })
})

async function* pieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
