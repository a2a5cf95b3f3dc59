import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { HubServer } from '../support/hub-server.ts'
import { between, oneOf, randomFrom } from '../support/random.ts'
import { generationId, ReferenceLog } from '../support/reference-log.ts'
import { ResumeAudit } from '../support/resume-audit.ts'
import {
  bareViewer,
  type ResumingViewer,
  type ResumingViewerOptions,
  type Speech,
  scopeViewer,
} from '../support/resuming-viewers.ts'
import { rounds } from '../support/rounds.ts'
import { type Cut, TcpProxy } from '../support/tcp-proxy.ts'

/** Cuts in the life of one viewer; so its log stays short enough to be compared as a whole, again and again. */
const CUTS = 10
const SHORT_LOG = 60
/** Entries that a viewer may be behind before the log waits for it, and entries without a cut that are too many. */
const AHEAD = 400
const STUCK = 60_000

/** How long a life may take before it is told where it hangs: a hundred times what it takes. */
const PATIENCE_MS = 15_000

/** What is special about the server or the viewer, and the gaps that it brings. */
const CASES = {
  kept: [],
  'short log': ['expired', 'slow_consumer'],
  'server replaced': ['epoch'],
  filter: [],
  history: [],
} as const
type Case = keyof typeof CASES
const NAMES = Object.keys(CASES) as Case[]

type Watch = (options: ResumingViewerOptions) => ResumingViewer

const VIEWERS: [string, Watch][] = [
  ['the client over Node’s WebSocket', scopeViewer],
  ['a bare WebSocket', bareViewer],
]

/** Some fall into the handshake and the greeting, some into the first messages, some far behind a snapshot. */
function randomCut(random: () => number): Cut {
  const bytes = between(random, 0, oneOf(random, [500, 5000, 50_000, 300_000]))
  return { bytes, reset: random() < 0.5 }
}

/** A viewer whose connections are cut again and again, and the servers it has in its time. */
class Life {
  readonly audit: ResumeAudit
  readonly #special: Case
  readonly #random: () => number
  readonly #logs = new Map<string, ReferenceLog>()
  readonly #generations: '*' | string[]
  readonly #cuts: Cut[] = []
  #server!: HubServer
  #reference!: ReferenceLog
  #proxy!: TcpProxy
  #headAtCut = 0
  #replaced = 0

  constructor(special: Case, seed: number) {
    this.#special = special
    this.#random = randomFrom(seed)
    const some = () => Array.from({ length: 200 }, (_, nth) => generationId(nth * 3))
    this.#generations = special === 'filter' ? some() : '*'
    const filter = this.#generations === '*' ? null : new Set(this.#generations)
    this.audit = new ResumeAudit({ logs: this.#logs, filter })
  }

  /** All of it; throws at the first thing that is wrong. */
  async run(watch: Watch, speech: Speech): Promise<void> {
    await this.#begin()
    this.#proxy = await TcpProxy.start({
      target: this.#server.url,
      cut: () => this.#nextCut(),
      onCut: () => this.#onCut(),
    })
    const watchdog = setTimeout(() => this.audit.fail(new Error(`hangs: ${this.#standing}`)), PATIENCE_MS)
    const { url } = this.#proxy
    // Only the client asks for detail of what its snapshot held.
    const historyEntries = this.#special === 'history' && watch === scopeViewer ? 150 : 0
    const viewer = watch({ url, speech, generations: this.#generations, historyEntries, audit: this.audit })
    try {
      await this.#beCut()
      await this.#haveAll()
      await this.#loseAgain()
      await this.#haveAll()
      if (historyEntries > 0) await this.audit.until(() => this.audit.replayed > 0)
      this.#expectNoOtherBreak()
    } finally {
      clearTimeout(watchdog)
      viewer.close()
      await this.#proxy.stop()
      await this.#server.stop()
    }
  }

  /** Where the connections were cut. */
  get report(): string {
    const cuts = this.#cuts.map(({ bytes, reset }) => `${bytes}${reset ? ' by reset' : ''}`)
    return `${this.#special}, cut at ${cuts.join(', ')}`
  }

  /** What is where, for one that hangs. */
  get #standing(): string {
    const { position, gaps, snapshots, entries, replayed } = this.audit
    const { cuts, connections, open } = this.#proxy
    const { head, tail, epoch } = this.#server.log
    const told = { position, gaps, snapshots, entries, replayed }
    return JSON.stringify({ ...told, cuts, connections, open, head, tail, epoch, replaced: this.#replaced })
  }

  /** A new server, with something to be told of. */
  async #begin(): Promise<void> {
    const log = this.#special === 'short log' ? { maxEntries: SHORT_LOG } : {}
    this.#server = await HubServer.start({ log })
    this.#reference = new ReferenceLog(this.#server.log, this.#random)
    this.#logs.set(this.#server.log.epoch, this.#reference)
    this.#reference.append(between(this.#random, 1, 200))
    this.#headAtCut = this.#reference.log.head
  }

  async #replace(): Promise<void> {
    const old = this.#server
    await this.#begin()
    this.#proxy.target = this.#server.url
    this.#replaced++
    await old.stop()
  }

  #nextCut(): Cut | null {
    if (this.#proxy.cuts >= CUTS) return null
    const cut = randomCut(this.#random)
    this.#cuts.push(cut)
    return cut
  }

  #onCut(): void {
    // More than is kept, and nobody there to read it.
    if (this.#special === 'short log' && this.#random() < 0.5) this.#reference.append(3 * SHORT_LOG)
    this.#headAtCut = this.#reference.log.head
  }

  /** Appends as fast as the viewer can follow until all cuts are made. */
  async #beCut(): Promise<void> {
    while (this.#proxy.cuts < CUTS) {
      const { head } = this.#reference.log
      if (this.audit.failure !== null) throw this.audit.failure
      if (head - this.#headAtCut > STUCK) throw new Error('the connection was never cut')
      const isNear = head - (this.audit.position?.seq ?? this.#headAtCut) < AHEAD
      // Who follows some generations has all of them long before the head comes to the next.
      if (isNear || this.audit.hasAllOf(this.#reference)) this.#reference.append(between(this.#random, 1, 5))
      const isDue = this.#proxy.cuts >= 4 * (this.#replaced + 1)
      if (this.#special === 'server replaced' && isDue) await this.#replace()
      await turn()
    }
  }

  async #haveAll(): Promise<void> {
    this.#reference.append(10)
    await this.audit.until(() => this.audit.hasAllOf(this.#reference))
  }

  /** A loss that is sure to be one: the viewer has all, and what follows is no longer there when it is back. */
  async #loseAgain(): Promise<void> {
    const gaps = this.audit.gaps.length
    if (this.#special === 'server replaced') await this.#replace()
    else if (this.#special === 'short log') {
      this.#proxy.cutAll()
      this.#reference.append(3 * SHORT_LOG)
    } else return
    await this.audit.until(() => this.audit.gaps.length > gaps)
  }

  /** Whoever gave up on what it was sent would come back too, and be none the worse. */
  #expectNoOtherBreak(): void {
    expect(this.#proxy.connections).toBeGreaterThan(this.#proxy.cuts)
    expect(this.#proxy.connections).toBeLessThanOrEqual(this.#proxy.cuts + this.#replaced + 1)
    const brought: readonly string[] = CASES[this.#special]
    expect(this.audit.gaps.filter(reason => !brought.includes(reason))).toEqual([])
  }
}

describe.each(['json', 'bin'] as const)('in %s', speech => {
  it.each(VIEWERS)('%s that is cut at any byte resumes', async (_, watch) => {
    let entries = 0
    for (let seed = 0; seed < rounds(1000) / CUTS; seed++) {
      const life = new Life(NAMES[seed % NAMES.length] as Case, seed)
      await life.run(watch, speech).catch(cause => {
        throw new Error(`seed ${seed}, ${life.report}: ${cause.message}`, { cause })
      })
      entries += life.audit.entries
    }
    expect(entries).toBeGreaterThan(rounds(1000))
  })
})
