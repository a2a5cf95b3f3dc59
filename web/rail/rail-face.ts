import { type GenerationError, type GenerationState, isFinal } from '../../events/generation.ts'
import { endingWords, replayWords } from '../format.ts'
import { timeOfId } from '../generation.ts'
import { type RailEntry, recordOf } from './rail-entry.ts'

/** Characters of a text in the list: enough to recognise it by, and little where it is laid out each frame. */
const PREVIEW = 400
const LIVE_PREVIEW = 600

/** What an item of the list shows, wherever it is known from. */
export interface RailFace {
  live: boolean
  state: GenerationState
  /** 0 to 1 of loading or of reading the prompt. */
  progress: number | null
  /** Its name, or what was asked; null where neither is known. */
  title: string | null
  named: boolean
  model: string | null
  notes: string[]
  text: string
  error: GenerationError | null
  tokens: number
  estimated: boolean
  /** Tokens a second. */
  rate: number | null
  ttftMs: number | null
  /** Unix seconds. */
  startedAt: number | null
}

/** What an item shows at `now`, Unix seconds of the server. */
export function faceOf(entry: RailEntry, now: number): RailFace {
  const { id, generation } = entry
  const record = recordOf(entry)
  const from = generation
    ? {
        ...{ live: generation.live, state: generation.state, progress: generation.progress },
        ...{ model: generation.model, ending: generation.ending, error: generation.error },
        ...{ cached: generation.cached, parent: generation.parent, replay: generation.replay },
        ...{ tokens: generation.tokensProcessed, estimated: generation.estimated },
        ...{ ttftMs: generation.ttftMs, elapsedMs: generation.elapsedMs },
        text: previewOf(generation.text, generation.live, generation.textIsPart),
      }
    : {
        ...{
          live: record !== null && !isFinal(record.state),
          state: record?.state ?? 'done',
          progress: null,
        },
        ...{ model: record?.model ?? null, ending: record?.ending ?? null, error: record?.error ?? null },
        ...{
          cached: record?.cached ?? false,
          parent: record?.parent ?? null,
          replay: record?.replay ?? null,
        },
        ...{ tokens: record?.tokens_processed ?? 0, estimated: record?.estimated ?? false },
        ...{ ttftMs: record?.ttft_ms ?? null, elapsedMs: record?.elapsed_ms ?? null },
        text: record?.preview ?? '',
      }
  const { ending, cached, parent, replay, elapsedMs, ...face } = from
  const name = record?.name ?? null
  const notes = [
    endingWords(ending),
    replay && replayWords(replay),
    cached ? 'from the cache' : null,
    parent === null ? null : 'goes on from another',
    record?.origin === 'import' ? 'from a file' : null,
    ...(record?.tags ?? []).map(tag => `#${tag}`),
  ]
  return {
    ...face,
    title: name ?? firstLineOf(record?.prompt ?? null),
    named: name !== null,
    notes: notes.filter(note => note !== null),
    rate: generation?.rate(now) ?? (face.live ? null : meanRate(face.tokens, elapsedMs, face.ttftMs)),
    startedAt: record?.started_at ?? timeOfId(id),
  }
}

/** The speed over a whole answer, from its first token on; null where that is not known. */
function meanRate(tokens: number, elapsedMs: number | null, ttftMs: number | null): number | null {
  if (elapsedMs === null || ttftMs === null || tokens < 2 || elapsedMs <= ttftMs) return null
  return (tokens - 1) / ((elapsedMs - ttftMs) / 1000)
}

/** The end of what is being said, the beginning of what was. */
function previewOf(text: string, live: boolean, isPart: boolean): string {
  if (live) return text.slice(-LIVE_PREVIEW)
  return (isPart ? '… ' : '') + text.slice(0, PREVIEW)
}

function firstLineOf(prompt: string | null): string | null {
  return prompt?.trim().split('\n', 1)[0] || null
}
