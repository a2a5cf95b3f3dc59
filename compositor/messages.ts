/**
 * What the compositor and its process say to each other, in structured clones over the process's channel.
 * `probe`, `start`, `batch` and `places` are answered by one message each, those of one kind in the order in
 * which they were asked; `stop` is answered by the end of the process. `failed` may come at any time and is
 * the last.
 */
import type { AdapterAnswer, BackendName } from './adapter.ts'
import type { PlacedTokens } from './token-pages.ts'

export type Request =
  /** Which adapter is there? The process ends after its answer. */
  | { type: 'probe' }
  /** Begin with this engine; whatever is not `probe` or `stop` waits for the answer. */
  | ({ type: 'start' } & StartOptions)
  /** Take in these tokens, which are newer than all before, and lay them out. */
  | { type: 'batch'; seqs: Float64Array; cells: Uint32Array }
  /** Where do the tokens with a seq from `from` to `to`, both included, lie, as far as they are laid out? */
  | { type: 'places'; from: number; to: number }
  /** End in order. */
  | { type: 'stop' }

export interface StartOptions {
  backend: BackendName
  /** Folder that shaders are written to as they are compiled; null for none. */
  dump: string | null
  /** Tokens in a page. */
  pageTokens: number
  /** Pages kept at most. */
  maxPages: number
}

export type Reply =
  | ({ type: 'adapter' } & AdapterAnswer)
  | { type: 'ready' }
  /** The batch is laid out: how long that took by itself, and how many tokens are kept now. */
  | { type: 'done'; seconds: number; kept: number }
  | ({ type: 'places' } & PlacedTokens)
  /** The process ends now, and why. */
  | { type: 'failed'; reason: string }
