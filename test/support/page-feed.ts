import type { Page } from 'playwright-core'
import { decodeTile } from '../../broadcast/protocol/tile-codec.ts'
import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import { BIN_SUBPROTOCOL } from '../../broadcast/protocol.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import type { LogEntry, NeuralStateEntry, TokenEntry } from '../../events/generation.ts'
import { BinaryTeller } from './binary-log.ts'
import { answererOf, type MadeToken } from './view-answers.ts'

const WORDS = ['The', ' river', ' and', ' a', ' tea', ',', ' of', '\n', ' sure', ' window', ' 你好', ' 👩‍🚀']

/** How the tokens of a fed page are. */
export interface FeedShape {
  /** Tokens of each generation. */
  counts: readonly number[]
  /** Blocks from the beginning of one generation to that of the next; none may need more. */
  stride: number
  /** Every so many generations know no confidence at all; so does every eleventh token of the others. */
  unknownEach: number
}

/** A log of finished generations, the same each time. */
export function logOf({ counts, stride, unknownEach }: FeedShape): LogEntry[] {
  const entries: LogEntry[] = []
  for (const [g, count] of counts.entries()) {
    const generation = `g_${String(g).padStart(6, '0')}`
    entries.push(stateOf(generation, 'generating', count))
    const first = g * stride * 256
    for (let index = 0; index < count; index++) {
      const unknown = g % unknownEach === 0 || index % 11 === 0
      entries.push(
        tokenOf(generation, index, first + index, unknown ? null : ((g * 37 + index * 13) % 1000) / 1000),
      )
    }
    entries.push(stateOf(generation, 'done', count))
  }
  return entries.map((entry, i) => ({ ...entry, seq: i + 1 }))
}

/** Has the page hear of these entries when it connects, in place of a server's log, and answers what it asks of the map. */
export async function feedPage(page: Page, entries: readonly LogEntry[]): Promise<void> {
  const view = answererOf(entries.filter(entry => entry.type === 'token_activation').map(madeOf), ['fed'])
  await page.routeWebSocket(/\/scope\/v1\/stream$/, socket => {
    const say = (message: unknown) => socket.send(JSON.stringify(message))
    say({ type: 'hello', epoch: 'fed', head: 0, protocol: BIN_SUBPROTOCOL, layouts: ['map'], demo: false })
    socket.onMessage(message => {
      const { type, since, ...question } = JSON.parse(String(message))
      if (type === 'viewport') void view(question).then(answer => say(viewMessage(question.id, answer)))
      if (type === 'ping') say({ type: 'pong', epoch: 'fed', seq: entries.length })
      if (type !== 'subscribe' || since !== undefined) return
      say({ type: 'snapshot', upto: 0, part: 0, last: true, generations: [] })
      const teller = new BinaryTeller()
      for (let from = 0; from < entries.length; from += 4000) {
        socket.send(Buffer.from(teller.entries(entries.slice(from, from + 4000))))
      }
    })
  })
}

/** An answer in one part, every tile with its content. */
function viewMessage(id: number, { tiles, ...answer }: ViewAnswer) {
  const whole = tiles.map(({ content, ...tile }) => ({ ...tile, ...decodeTile(content as Uint8Array) }))
  return { type: 'view', id, part: 0, last: true, ...answer, tiles: whole }
}

function madeOf(entry: TokenEntry): MadeToken {
  const { generation, index, token_text: text, kind, timestamp, confidence, entropy, position } = entry
  const token = {
    id: `${generation}:${index}`,
    text,
    x: 0,
    y: 0,
    w: 1,
    kind,
    model: 0,
    confidence,
    entropy,
    interval_ms: null,
    timestamp,
  }
  return { token, map: position, flow: [0, 0, undefined], timeline: [0, 0, 1] }
}

function tokenOf(generation: string, index: number, cell: number, confidence: number | null): TokenEntry {
  return {
    type: 'token_activation',
    seq: 0,
    generation,
    index,
    token_id: null,
    token_text: WORDS[(index * 7) % WORDS.length] as string,
    kind: 'message',
    timestamp: 1000 + index / 30,
    position: mapPosition(cell),
    logprob: confidence === null ? null : Math.log(confidence + 1e-6),
    confidence,
    entropy: null,
    top: [],
  }
}

function stateOf(generation: string, state: NeuralStateEntry['state'], tokens: number): NeuralStateEntry {
  return {
    type: 'neural_state',
    seq: 0,
    generation,
    state,
    model: 'fed',
    upstream: 'none',
    tokens_processed: state === 'done' ? tokens : 0,
    total_tokens: null,
    estimated: false,
    elapsed_ms: 1,
    ttft_ms: 1,
    progress: null,
    ending: null,
    error: null,
    timings: null,
    parent: null,
    cached: false,
  }
}
