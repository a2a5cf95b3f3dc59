import type { ColorName } from '../../broadcast/protocol/view.ts'
import { AGE_ENDS, INTERVAL_ENDS, MOST_ENTROPY } from '../../compositor/draw/colour-scale.ts'
import { formatSpan } from '../../compositor/draw/time-format.ts'
import type { TokenKind } from '../../events/generation.ts'

/** A place of a scale, 0 … 1, that a line marks. */
export type Tick = number

/** What a colour stands for. */
export interface ColourWords {
  title: string
  /** What it tells, as a sentence. */
  meaning: string
  /** The ends of its scale, with their unit; null where it has none. */
  ends: readonly [from: string, to: string] | null
  /** Where a logarithmic scale has its powers of ten, or an age its minute. */
  ticks: readonly Tick[]
  /** What is said of tokens of which it is not known; null: of each it is. */
  unknown: string | null
}

const INTERVAL_DECADES = Math.round(Math.log10(INTERVAL_ENDS[1] / INTERVAL_ENDS[0]))

/** What each colour stands for, in the order in which they are chosen from. */
export const COLOUR_WORDS: Record<ColorName, ColourWords> = {
  confidence: {
    title: 'confidence',
    meaning: 'How probable the model held the token that it chose.',
    ends: ['0 %', '100 %'],
    ticks: [],
    unknown: 'not given',
  },
  entropy: {
    title: 'entropy',
    meaning: 'How undecided it was among the alternatives that the server gave, in nats.',
    ends: ['0 nats', `${MOST_ENTROPY.toFixed(1)} nats`],
    ticks: [],
    unknown: 'not given',
  },
  interval: {
    title: 'inter-token time',
    meaning: 'How long after the token before it came. The scale is logarithmic.',
    ends: [formatSpan(INTERVAL_ENDS[0]), `${INTERVAL_ENDS[1] / 1000} s`],
    ticks: Array.from({ length: INTERVAL_DECADES - 1 }, (_, i) => (i + 1) / INTERVAL_DECADES),
    unknown: 'none before it',
  },
  kind: {
    title: 'kind',
    meaning: 'Whether it is of the answer, of the reasoning before it, or of a call of a tool.',
    ends: null,
    ticks: [],
    unknown: null,
  },
  model: {
    title: 'model',
    meaning: 'Which model it is from.',
    ends: null,
    ticks: [],
    unknown: 'not told',
  },
  age: {
    title: 'age',
    meaning: 'How long ago it came. The scale is logarithmic.',
    ends: [`≥ ${AGE_ENDS[1] / 3600} h`, `${AGE_ENDS[0]} s`],
    ticks: [1 - Math.log(60) / Math.log(AGE_ENDS[1] / AGE_ENDS[0])],
    unknown: null,
  },
}

/** A kind of token in words. */
export const KIND_WORDS: Record<TokenKind, string> = {
  message: 'message',
  reasoning: 'reasoning',
  tool_call: 'tool call',
}
