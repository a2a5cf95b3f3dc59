import { CellAllocator } from '../../broadcast/cells.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { GenerationEvent, LogEntry, TokenKind } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from './hub-events.ts'
import { between, oneOf, randomFrom } from './random.ts'
import { ORIGIN } from './view-answers.ts'

/** Models of a session, how fast and how sure each is, and whether it thinks aloud and gives log-probabilities. */
const MODELS = [
  { model: 'qwen2.5-7b', rate: 62, mood: 0.86, thinks: 0, known: true },
  { model: 'llama3.1:8b', rate: 48, mood: 0.72, thinks: 0, known: true },
  { model: 'deepseek-r1:14b', rate: 27, mood: 0.6, thinks: 0.6, known: true },
  { model: 'mistral-nemo', rate: 36, mood: 0.8, thinks: 0, known: false },
]

/** What they say. */
const WORDS = [
  ' the',
  ' of',
  ' a',
  ' river',
  ' signal',
  ' map',
  'ing',
  ',',
  ' streams',
  ' is',
  ' between',
  '.',
  ' time',
]

export interface SessionOptions {
  /** How long it lasts, about. */
  seconds: number
  /** Tokens that it has, about. */
  tokens: number
  seed?: number
}

interface Moment {
  at: number
  event: GenerationEvent
}

/** The log of a session with several models, busy at times and quiet at others: the same one for the same seed. */
export function sessionEntries({ seconds, tokens, seed = 1 }: SessionOptions): LogEntry[] {
  const random = randomFrom(seed)
  const moments: Moment[] = []
  for (let generation = 0, count = 0; count < tokens; generation++) {
    const answer = answerOf(random, `g_${generation}`, startOf(random) * seconds)
    for (const moment of answer) moments.push(moment)
    count += answer.length
  }
  moments.sort((a, b) => a.at - b.at)
  const cells = new CellAllocator()
  return moments.map(({ event }, i): LogEntry => {
    const seq = i + 1
    if (event.type !== 'token_activation') return { ...event, seq }
    return { ...event, seq, position: mapPosition(cells.allocate(event.generation)) }
  })
}

/** When an answer begins, 0 … 1: in four waves, the later the more. */
function startOf(random: () => number): number {
  for (;;) {
    const at = random() ** 0.8
    if (random() < (0.12 + 0.88 * Math.sin(at * 4 * Math.PI) ** 2) * (0.4 + 0.6 * at)) return at
  }
}

function answerOf(random: () => number, id: string, start: number): Moment[] {
  const { model, rate, mood, thinks, known } = oneOf(random, MODELS)
  const count = Math.round(90 * Math.exp(random() * 2.8))
  const thought = thinks === 0 ? 0 : Math.round(count * thinks * random())
  const calls = random() < 0.12 ? between(random, 10, 60) : 0
  const pace = (0.75 + random() * 0.5) / rate
  const said: Moment[] = [{ at: start, event: stateEvent(id, 'generating', { model }) }]
  let at = start + 0.1 + random()
  let sure = mood
  for (let index = 0; index < count; index++) {
    at += pace * (0.6 + random() * 0.8) + (random() < 0.002 ? 0.4 + random() * 3 : 0)
    sure = Math.min(0.99, Math.max(0.08, sure + (random() - 0.5) * 0.22 + (mood - sure) * 0.03))
    const kind: TokenKind = index < thought ? 'reasoning' : count - index <= calls ? 'tool_call' : 'message'
    const confidence = known ? sure ** (1 + random()) : null
    const entropy = confidence === null ? null : (1 - confidence) ** 1.3 * 2.9
    const logprob = confidence === null ? null : Math.log(confidence)
    const text = index % 70 === 69 ? '.\n\n' : oneOf(random, WORDS)
    const timestamp = ORIGIN + at
    const event = { ...tokenEvent(id, index, text), kind, confidence, entropy, logprob, timestamp }
    said.push({ at, event })
  }
  said.push({ at: at + 0.02, event: stateEvent(id, 'done', { model, ending: 'stop' }) })
  return said
}
