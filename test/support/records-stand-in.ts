import { TokenscopeError } from '../../events/errors.ts'
import { isFinal } from '../../events/generation.ts'
import type {
  Edit,
  ExportFormat,
  GenerationDetail,
  GenerationRecord,
  ListQuestion,
  Page,
  RecordedToken,
  Records,
} from '../../store/recording.ts'
import type { Replays } from '../../store/replay/replays.ts'

/** A recorded generation, whole. */
interface Kept {
  detail: GenerationDetail
  tokens: RecordedToken[]
}

/** Records in memory, as plainly as can be: what routes are tested against. A line of a file is a recording. */
export class RecordsStandIn implements Records {
  /** The newest first. */
  readonly kept: Kept[] = []
  /** What a file consists of instead of what is kept, where a test says so. */
  pieces: (() => AsyncIterable<Uint8Array>) | null = null

  /** Keeps one that has ended, or as is said. */
  add(generation: string, fields: Partial<GenerationDetail> = {}): GenerationDetail {
    const text = fields.text ?? 'Hello there.'
    const tokens = (text.match(/\s*\S+/g) ?? []).map(tokenOf)
    const detail = { ...PLAIN, generation, tokens: tokens.length, text, ...fields }
    this.kept.unshift({ detail, tokens })
    return detail
  }

  async list({ limit, cursor, state, model, q }: ListQuestion): Promise<Page<GenerationRecord>> {
    const words = q?.toLowerCase().split(/\s+/) ?? []
    const found = this.kept
      .map(({ detail }) => detail)
      .filter(one => (state ?? one.state) === one.state && (model ?? one.model) === one.model)
      .filter(one => words.every(word => wordsOf(one).includes(word)))
    const { items, next } = cut(found, limit, cursor)
    return { items: items.map(recordOf), next }
  }

  async record(generation: string): Promise<GenerationRecord> {
    return recordOf(this.#find(generation).detail)
  }

  async get(generation: string): Promise<GenerationDetail> {
    return this.#find(generation).detail
  }

  async tokens(generation: string, limit: number, cursor: string | null): Promise<Page<RecordedToken>> {
    return cut(this.#find(generation).tokens, limit, cursor)
  }

  async edit(generation: string, { version, ...changes }: Edit): Promise<GenerationRecord> {
    const { detail } = this.#find(generation)
    if (version !== detail.version) {
      const message = `${generation} was changed since version ${version}. Look at it as it is now.`
      throw new TokenscopeError('VERSION_CONFLICT', message, { details: { current: recordOf(detail) } })
    }
    Object.assign(detail, changes, { version: version + 1 })
    return recordOf(detail)
  }

  async remove(generation: string): Promise<void> {
    const found = this.#find(generation)
    if (!isFinal(found.detail.state)) {
      throw new TokenscopeError('STILL_RUNNING', `${generation} is still running. Stop it first.`)
    }
    this.kept.splice(this.kept.indexOf(found), 1)
  }

  async *export(generation: string, format: ExportFormat): AsyncGenerator<Uint8Array> {
    const { detail, tokens } = this.#find(generation)
    if (this.pieces !== null) yield* this.pieces()
    else if (format === 'jsonl') yield Buffer.from(`${JSON.stringify({ detail, tokens })}\n`)
    else if (format === 'txt') yield Buffer.from(detail.text)
    else for (const { index, token_text } of tokens) yield Buffer.from(`${index},${token_text}\r\n`)
  }

  async import(bytes: AsyncIterable<Uint8Array>): Promise<{ imported: string[]; present: string[] }> {
    const imported: string[] = []
    const present: string[] = []
    for await (const { detail, tokens } of recordingsOf(bytes)) {
      const there = this.kept.find(one => one.detail.generation === detail.generation)
      if (there === undefined) this.kept.unshift({ detail, tokens })
      else if (JSON.stringify(there.detail) !== JSON.stringify(detail)) {
        throw new TokenscopeError('ALREADY_RECORDED', `Another ${detail.generation} is there already.`)
      }
      const list = there === undefined ? imported : present
      list.push(detail.generation)
    }
    return { imported, present }
  }

  #find(generation: string): Kept {
    const found = this.kept.find(({ detail }) => detail.generation === generation)
    if (found !== undefined) return found
    throw new TokenscopeError('NOT_FOUND', `No generation ${generation.slice(0, 100)} is recorded.`)
  }
}

/** Replays that are told and not played: each recording has been one as soon as it was read. */
export class ReplaysStandIn implements Pick<Replays, 'start' | 'play'> {
  readonly started: [generation: string, speed: number | null][] = []
  readonly played: { speed: number | null; generations: string[]; stopped: boolean }[] = []
  readonly #records: RecordsStandIn

  constructor(records: RecordsStandIn) {
    this.#records = records
  }

  async start(generation: string, speed: number | null): Promise<string> {
    await this.#records.get(generation)
    this.started.push([generation, speed])
    return `${generation}_again`
  }

  async play(bytes: AsyncIterable<Uint8Array>, speed: number | null, signal?: AbortSignal) {
    const playing = { speed, generations: [] as string[], stopped: false }
    this.played.push(playing)
    signal?.addEventListener('abort', () => {
      playing.stopped = true
    })
    for await (const { detail } of recordingsOf(bytes)) playing.generations.push(detail.generation)
    return { generations: playing.generations }
  }
}

/** @throws TokenscopeError BAD_RECORDING naming the line */
async function* recordingsOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Kept> {
  let left = ''
  let line = 0
  for await (const piece of bytes) {
    const lines = (left + Buffer.from(piece).toString('latin1')).split('\n')
    left = lines.pop() as string
    for (const text of lines) yield recordingOf(text, ++line)
  }
  if (left !== '') throw new TokenscopeError('BAD_RECORDING', `Line ${line + 1} has no end.`)
}

function recordingOf(text: string, line: number): Kept {
  try {
    return JSON.parse(text)
  } catch {
    throw new TokenscopeError('BAD_RECORDING', `Line ${line} is not JSON.`)
  }
}

/** A page, its cursor being where it ends. */
function cut<T>(list: T[], limit: number, cursor: string | null): Page<T> {
  const from = cursor === null ? 0 : Number(cursor)
  if (!Number.isInteger(from)) {
    throw new TokenscopeError('BAD_REQUEST', `"cursor" is "${cursor}"; it must be a number.`, {
      param: 'cursor',
    })
  }
  const end = from + limit
  return { items: list.slice(from, end), next: end < list.length ? String(end) : null }
}

function recordOf({ text: _text, request: _request, response: _response, ...record }: GenerationDetail) {
  return record
}

function wordsOf({ name, tags, note, prompt, text }: GenerationDetail): string {
  return [name, ...tags, note, prompt, text].join(' ').toLowerCase()
}

function tokenOf(token_text: string, index: number): RecordedToken {
  const known = index % 2 === 0
  return {
    ...{
      index,
      token_text,
      kind: 'message',
      timestamp: 1_700_000_000 + index,
      token_id: known ? index : null,
    },
    ...{ logprob: known ? -0.5 : null, confidence: known ? Math.exp(-0.5) : null, entropy: null },
    top: known ? [{ text: token_text, logprob: -0.5 }] : [],
    position: known ? [index, 0] : null,
  }
}

const PLAIN: GenerationDetail = {
  ...{
    generation: '',
    origin: 'live',
    state: 'done',
    model: 'demo',
    upstream: '127.0.0.1:1234',
    ending: 'stop',
  },
  ...{
    error: null,
    parent: null,
    cached: false,
    replay: null,
    started_at: 1_700_000_000,
    ended_at: 1_700_000_002,
  },
  ...{ elapsed_ms: 2000, ttft_ms: 210, tokens: 0, tokens_processed: 2, total_tokens: null, estimated: false },
  timings: { load_ms: null, prompt_ms: 12.5, generation_ms: 1500, tokens_per_second: 7 },
  ...{
    mean_logprob: -0.5,
    preview: 'Hello',
    prompt: 'Say hello',
    name: null,
    tags: [],
    note: null,
    version: 1,
  },
  ...{ complete: true, bytes: 1234, text: '' },
  request: {
    ...{
      method: 'POST',
      target: '/v1/chat/completions',
      headers: { accept: '*/*' },
      body: '{}',
      body_bytes: 2,
    },
    ...{ correlation_id: 'mine-1', started_at: 1_699_999_999.5, generations: ['g_1'] },
  },
  response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bytes: 99, outcome: 'complete' },
}
