import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Delivery, LogCursor, type ScopeMessage } from '../../../broadcast/client/log-cursor.ts'
import { ProtocolError } from '../../../broadcast/protocol/byte-codec.ts'
import type { GapMessage } from '../../../broadcast/protocol.ts'
import { ModelServer } from '../../support/model-server.ts'

const GENERATIONS = ['g_a', 'g_b', 'g_c']

/** An owner that believes what it is told, and holds it against what the server has. */
class Owner {
  readonly texts = new Map<string, string>()
  readonly #server: ModelServer
  readonly #filtered: boolean
  #seq: number | null = null
  #gap: GapMessage | null = null
  #snapshotUpto = 0
  #replayedTo = 0
  entries = 0
  gaps = 0
  replayed = 0
  resets = 0

  constructor(server: ModelServer, filtered: boolean) {
    this.#server = server
    this.#filtered = filtered
  }

  read(message: ScopeMessage, { replay }: Delivery): void {
    if (message.type === 'snapshot') this.#snapshot(message)
    else if (this.#gap !== null) throw new Error(`${message.type} between a gap and its snapshot`)
    else if (message.type === 'gap') this.#gapped(message)
    else if (message.type === 'reset') {
      expect(this.#seq).toBeLessThanOrEqual(message.upto)
      if (!this.#filtered) expect(this.#seq).toBe(message.upto)
      this.resets++
    } else if (message.type === 'token_activation') {
      expect(this.#seq).not.toBeNull()
      if (replay) {
        expect(message.seq).toBeGreaterThan(this.#replayedTo)
        expect(message.seq).toBeLessThanOrEqual(this.#snapshotUpto)
        this.#replayedTo = message.seq
        this.replayed++
        return
      }
      this.#follow(message.seq)
      this.texts.set(message.generation, (this.texts.get(message.generation) ?? '') + message.token_text)
      this.entries++
    }
  }

  /** Whether the last thing told is the last that there is. */
  get isComplete(): boolean {
    return this.#seq !== null && this.#gap === null && this.#server.next(this.#seq) === undefined
  }

  /** Without a filter there is no hole; with one, whether a text has one shows at its end. */
  #follow(seq: number): void {
    if (this.#filtered) expect(seq).toBeGreaterThan(this.#seq as number)
    else expect(seq).toBe((this.#seq as number) + 1)
    this.#seq = seq
  }

  #gapped(gap: GapMessage): void {
    this.#gap = gap
    this.gaps++
    if (gap.reason === 'epoch') return
    expect(gap.from).toBeGreaterThan(this.#seq as number)
    if (!this.#filtered) expect(gap.from).toBe((this.#seq as number) + 1)
    expect(gap.to).toBeGreaterThanOrEqual(gap.from as number)
  }

  #snapshot(message: ScopeMessage & { type: 'snapshot' }): void {
    expect(this.#seq === null || this.#gap !== null).toBe(true)
    if (this.#gap?.reason !== 'epoch' && this.#gap !== null) expect(message.upto).toBe(this.#gap.to)
    expect(message).toMatchObject({ part: 0, last: true })
    this.#gap = null
    this.#seq = message.upto
    this.#snapshotUpto = message.upto
    this.#replayedTo = 0
    this.texts.clear()
    for (const { generation, text } of message.generations) this.texts.set(generation, text)
  }
}

/** A cursor at the server, and how they speak with each other. */
class Run {
  readonly server: ModelServer
  readonly owner: Owner
  readonly cursor: LogCursor
  breaks = 0

  constructor(filtered: boolean, historyEntries: number) {
    this.server = new ModelServer(filtered ? new Set(['g_a', 'g_c']) : null)
    this.owner = new Owner(this.server, filtered)
    this.cursor = new LogCursor({
      since: null,
      historyEntries,
      filtered,
      subscribe: since => this.server.toServer.push({ ...since }),
      deliver: (message, delivery) => this.owner.read(message, delivery),
    })
    this.#subscribe()
  }

  deliver(count: number): void {
    for (let left = count; left > 0; left--) {
      const message = this.server.toClient.shift()
      if (message === undefined) return
      try {
        this.cursor.take(message)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        this.breaks++
        this.cut()
      }
    }
  }

  cut(): void {
    this.server.connect()
    this.#subscribe()
  }

  replace(): void {
    this.server.replace()
    this.#subscribe()
  }

  /** Lets everything come that is still to come. */
  settle(): void {
    for (let round = 0; round < 50; round++) {
      this.server.answer(0, 2)
      this.server.pump(1000)
      this.deliver(10_000)
    }
  }

  #subscribe(): void {
    this.cursor.reconnected()
    this.server.toServer.push(this.cursor.resumePoint && { ...this.cursor.resumePoint })
  }
}

const small = fc.nat(6)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant('append' as const), fc.nat(GENERATIONS.length - 1), fc.nat(20)),
  },
  { weight: 6, arbitrary: fc.tuple(fc.constant('pump' as const), fc.nat(12), small) },
  { weight: 8, arbitrary: fc.tuple(fc.constant('deliver' as const), fc.nat(15), small) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('answer' as const), small, small) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('skip' as const, 'trim' as const), small, small) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('cut' as const, 'ping' as const, 'greet' as const), small, small),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('reset' as const, 'replace' as const), small, small) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take(run: Run, [kind, a, b]: Step): void {
  const { server } = run
  if (kind === 'append') for (let i = 0; i < b; i++) server.append(GENERATIONS[(a + i) % 3] as string)
  else if (kind === 'pump') server.pump(a)
  else if (kind === 'deliver') run.deliver(a)
  else if (kind === 'answer') server.answer(a, b)
  else if (kind === 'skip') server.skip('slow_consumer', a, b)
  else if (kind === 'trim') server.trim(a)
  else if (kind === 'cut') run.cut()
  else if (kind === 'ping') server.ping()
  else if (kind === 'greet') server.greet()
  else if (kind === 'reset') server.reset(a)
  else run.replace()
}

it('gives every entry once and in order, or a gap and a whole snapshot, whatever server and network do', () => {
  const seen = { entries: 0, gaps: 0, replayed: 0, resets: 0, breaks: 0 }
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 20, maxLength: 120 }),
      fc.boolean(),
      fc.constantFrom(0, 5),
      (steps, filtered, historyEntries) => {
        const run = new Run(filtered, historyEntries)
        for (const one of steps) take(run, one)
        run.settle()
        const { owner } = run
        expect(owner.isComplete).toBe(true)
        expect(new Map([...owner.texts].filter(([, text]) => text !== ''))).toEqual(run.server.texts())
        seen.entries += owner.entries
        seen.gaps += owner.gaps
        seen.replayed += owner.replayed
        seen.resets += owner.resets
        seen.breaks += run.breaks
      },
    ),
    { numRuns: 2000 },
  )
  // Each of them did happen.
  for (const count of [seen.entries, seen.gaps, seen.replayed, seen.resets])
    expect(count).toBeGreaterThan(100)
  expect(seen.breaks).toBeGreaterThan(20)
})
