/**
 * A log with its records, and nothing around them, in a process of its own: what recording costs the process that
 * passes tokens on, and how much can be recorded.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Tape } from '../../bridge/tape.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { createMetrics } from '../../health/metrics.ts'
import { Store } from '../../store/store.ts'
import { Load, numberedText } from '../broadcast/load.ts'
import { answer } from '../children.ts'
import { type Quantiles, quantilesOf } from '../figure.ts'

/** A token's event of an answer with five alternatives, as llama.cpp sends it. */
const CHUNK = Buffer.from(
  `data: {"choices":[{"index":0,"delta":{"content":" 0000"},"logprobs":{"content":[${'x'.repeat(480)}]}}]}\n\n`,
)
const TOP = [' a', ' b', ' c', ' d', ' e'].map((text, i) => ({ text, logprob: -0.5 - i }))
const GENERATION_TOKENS = 400
const AT_ONCE = 25

export interface Paced {
  /** Microseconds from when a token was due to when it was passed on. */
  delay: Quantiles
  /** Of that what the calls themselves took. */
  call: Quantiles
  cpuSeconds: number
}

let store: Store | null = null
let log = new TokenLog({ place: mapPosition })
let load = new Load({ generationTokens: GENERATION_TOKENS, atOnce: AT_ONCE })
let tapes = new Map<string, Tape>()

answer({
  /** Begins anew with the records in a folder. */
  async open({ folder, record }: { folder: string; record: 'off' | 'full' }) {
    await store?.stop()
    const meter = createMetrics()
    const retention = { ageMs: null, bytes: null }
    const say = (level: string, text: string) => {
      if (level !== 'debug') process.stderr.write(`${text}\n`)
    }
    store = await Store.open({ folder, record, retention, meter, say })
    const { epoch, nextBlock, finished } = store.resumption
    log = new TokenLog({ place: mapPosition, epoch, nextBlock, finished })
    store.follow(log)
    load = new Load({ generationTokens: GENERATION_TOKENS, atOnce: AT_ONCE })
    tapes = new Map()
  },

  /** Tokens at a pace: what each waits for, at whatever the process is doing when it is due. */
  async pace({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<Paced> {
    const count = perSecond * seconds
    const delays: number[] = []
    const calls: number[] = []
    const cpu = process.cpuUsage()
    const begun = performance.now()
    for (let i = 0; i < count; i++) {
      const due = begun + (i * 1000) / perSecond
      // A timer's own delay would hide what is measured.
      while (performance.now() < due) await turn()
      const at = performance.now()
      pass()
      const over = performance.now()
      delays.push((over - due) * 1000)
      calls.push((over - at) * 1000)
    }
    const { user, system } = process.cpuUsage(cpu)
    return {
      delay: quantilesOf(delays),
      call: quantilesOf(calls),
      cpuSeconds: (user + system) / 1_000_000,
    }
  },

  /** As many as can be recorded; gives how many a second. */
  async bulk(tokens: number): Promise<number> {
    const begun = performance.now()
    for (let i = 0; i < tokens; i++) {
      pass()
      if (i % 20_000 === 19_999) await store?.flush()
    }
    await store?.flush()
    return (tokens * 1000) / (performance.now() - begun)
  },

  async close() {
    await store?.stop()
    store = null
  },
})

/** A token comes: its bytes, and what is told of it. */
function pass(): void {
  const readAt = performance.now()
  const { before, token, after } = load.next(numberedText(load.count))
  const { generation } = token
  if (before !== null) {
    const tape = store?.tapes.open({
      method: 'POST',
      target: '/v1/chat/completions',
      headers: ['content-type', 'application/json'],
      body: Buffer.from('{"messages":[{"role":"user","content":"x"}]}'),
      correlationId: null,
      startedAt: readAt,
      generations: () => [generation],
    })
    if (tape) tapes.set(generation, tape)
    tape?.head(200, ['content-type', 'text/event-stream'], readAt)
    log.append(before, readAt)
  }
  const tape = tapes.get(generation)
  tape?.bytes(CHUNK, readAt)
  log.append({ ...token, logprob: -0.5, confidence: Math.exp(-0.5), top: TOP }, readAt)
  if (after !== null) {
    log.append(after, readAt)
    tape?.end('complete')
    tapes.delete(generation)
  }
}
