/** What is known of a recorded generation, as it is asked for and answered. */
import type {
  Ending,
  GenerationError,
  GenerationState,
  Replay,
  TokenEvent,
  UpstreamTimings,
} from '../events/generation.ts'

/** How it came here: seen as it was generated, played again, or read from a file. */
export type Origin = 'live' | 'replay' | 'import'

/** A recorded generation, as lists have it. Times are Unix seconds unless they end in `_ms`. */
export interface GenerationRecord {
  generation: string
  origin: Origin
  state: GenerationState
  model: string | null
  upstream: string
  ending: Ending | null
  error: GenerationError | null
  parent: string | null
  cached: boolean
  /** What it plays again; null where it is no replay. */
  replay: Replay | null
  started_at: number
  /** Null while it runs. */
  ended_at: number | null
  elapsed_ms: number
  ttft_ms: number | null
  /** Tokens recorded. */
  tokens: number
  /** As its last state says. */
  tokens_processed: number
  total_tokens: number | null
  estimated: boolean
  timings: UpstreamTimings | null
  /** Mean of the logprobs that are known, in nats; null while it runs and where none is known. */
  mean_logprob: number | null
  /** What its text begins with, at most 200 UTF-16 units; empty while it runs. */
  preview: string
  /** What the last message of the user begins with, at most 200 units; null where it is not known. */
  prompt: string | null
  name: string | null
  tags: string[]
  note: string | null
  /** Goes up by one with each change of name, tags or note, from 1. */
  version: number
  /** Whether all of it was recorded. */
  complete: boolean
  /** Bytes that it takes, its part of the request and the answer included. */
  bytes: number
}

/** All that is known of it but its tokens. */
export interface GenerationDetail extends GenerationRecord {
  /** All its text, whatever its kinds. */
  text: string
  request: RecordedRequest | null
  response: RecordedResponse | null
}

export interface RecordedRequest {
  method: string
  /** Path and query. */
  target: string
  /** Without keys and cookies; of several of one name the values are joined by ", ". */
  headers: Record<string, string>
  /** As text; null where there is none or it is no text. */
  body: string | null
  /** Bytes of the body that are kept. */
  body_bytes: number
  correlation_id: string | null
  started_at: number
  /** Ids of all generations of the request. */
  generations: string[]
}

export interface RecordedResponse {
  status: number
  headers: Record<string, string>
  /** Bytes of its body that are kept. */
  bytes: number
  /** Null while it goes on; `interrupted` where Tokenscope ended before it. */
  outcome: 'complete' | 'broken' | 'cancelled' | 'interrupted' | null
}

/** A recorded token: null instead of a position where it has no cell on this map, being read from a file. */
export interface RecordedToken extends Omit<TokenEvent, 'type' | 'generation'> {
  position: [number, number] | null
}

/** What of a list is asked for. */
export interface ListQuestion {
  /** 1 to 1000. */
  limit: number
  /** `next` of the page before; null: from the newest. */
  cursor: string | null
  state: GenerationState | null
  model: string | null
  /** Words that name, tags, note, prompt or text have to hold, all of them; `"…"` is a phrase, `word*` a beginning. */
  q: string | null
}

/** A page of a list, and where the next begins; null where there is none. */
export interface Page<T> {
  items: T[]
  next: string | null
}

/** What a user changes; what is absent stays as it is. */
export interface Edit {
  /** The version that the user has seen. */
  version: number
  name?: string | null
  tags?: string[]
  note?: string | null
}

export type ExportFormat = 'jsonl' | 'csv' | 'txt'

/** What may be asked of the records. Every method rejects with a TokenscopeError. */
export interface Records {
  /**
   * Recorded generations, the newest first; running ones are there as they are by now.
   *
   * @throws TokenscopeError BAD_REQUEST (param `cursor` or `q`), RECORDS_UNAVAILABLE
   */
  list(question: ListQuestion): Promise<Page<GenerationRecord>>
  /** What lists have of it, which costs less than all. @throws TokenscopeError NOT_FOUND, RECORDS_UNAVAILABLE */
  record(generation: string): Promise<GenerationRecord>
  /** @throws TokenscopeError NOT_FOUND, RECORDS_UNAVAILABLE */
  get(generation: string): Promise<GenerationDetail>
  /**
   * Its tokens in their order.
   *
   * @param limit 1 to 10,000
   * @param cursor `next` of the page before; null: from the first
   * @throws TokenscopeError NOT_FOUND, BAD_REQUEST (param `cursor`), RECORDS_UNAVAILABLE
   */
  tokens(generation: string, limit: number, cursor: string | null): Promise<Page<RecordedToken>>
  /**
   * @returns it as it is now
   * @throws TokenscopeError NOT_FOUND, VERSION_CONFLICT with `details.current` (a GenerationRecord), RECORDS_UNAVAILABLE
   */
  edit(generation: string, edit: Edit): Promise<GenerationRecord>
  /** Removes what is recorded of it. @throws TokenscopeError NOT_FOUND, STILL_RUNNING, RECORDS_UNAVAILABLE */
  remove(generation: string): Promise<void>
  /**
   * Its bytes, piece by piece, in a form of docs/recordings.md. Of a running one what there is by now.
   *
   * @throws TokenscopeError NOT_FOUND with the first piece, RECORDS_UNAVAILABLE
   */
  export(generation: string, format: ExportFormat): AsyncIterable<Uint8Array>
  /**
   * Takes in recordings in the form `jsonl`, one behind the other, each whole or not at all. One that is there
   * already, the same to the last byte, is left as it is.
   *
   * @returns ids, in the order of the file
   * @throws TokenscopeError BAD_RECORDING naming the line, ALREADY_RECORDED, RECORDS_UNAVAILABLE; those before it stay
   */
  import(bytes: AsyncIterable<Uint8Array>): Promise<{ imported: string[]; present: string[] }>
}
