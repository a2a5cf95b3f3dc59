import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { Gcra } from '../events/gcra.ts'

export interface GateOptions {
  /** Viewers that may be in at once. */
  maxClients: number
  /** Of one address; 64 if not given. */
  maxPerAddress?: number
  /** How often one address may come in a minute, and how often at once after a rest; 240 and 64 if not given. */
  connectsPerMinute?: number
  connectBurst?: number
  /** Whether what holds for one address does not hold for this one; loopback if not given. */
  exempt?: (address: string) => boolean
}

/** Whether a viewer may come in: if so, `leave` is to be called once it has gone. */
export type Entry =
  | { kind: 'in'; leave(): void }
  | { kind: 'full'; reason: string }
  | { kind: 'hasty'; retryAfterSeconds: number }

/** Addresses whose rate is remembered at most, the last ones to come. */
const REMEMBERED = 4096

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * How many viewers may be in at once, in all and from one address, and how fast one address may come. IPv6
 * addresses count by their first 64 bits, since whoever has one has all of those.
 *
 * What is kept does not grow with the addresses that come: those that are in, which are bounded, and the rates of
 * the last few thousand, each forgotten once it is at rest.
 */
export class Gate {
  readonly #maxClients: number
  readonly #maxPerAddress: number
  readonly #rate: { perMinute: number; burst: number }
  readonly #exempt: (address: string) => boolean
  #inside = 0
  /** How many are in, by address. */
  readonly #present = new Map<string, number>()
  /** Addresses that came, the last to come at the end. */
  readonly #rates = new Map<string, Gcra>()

  constructor({
    maxClients,
    maxPerAddress = 64,
    connectsPerMinute = 240,
    connectBurst = 64,
    exempt = isLoopback,
  }: GateOptions) {
    this.#maxClients = maxClients
    this.#maxPerAddress = maxPerAddress
    this.#rate = { perMinute: connectsPerMinute, burst: connectBurst }
    this.#exempt = exempt
  }

  /** Viewers that are in. */
  get inside(): number {
    return this.#inside
  }

  /** Addresses that something is kept about. */
  get remembered(): number {
    return new Set([...this.#present.keys(), ...this.#rates.keys()]).size
  }

  /**
   * Asks to come in.
   *
   * @param address of the other side; undefined (a socket that is gone already) counts as one more address
   * @param now on the clock of `performance.now()`
   * @returns `hasty` before `full`, so that who is turned away does not ask for ever
   */
  enter(address: string | undefined, now: number = performance.now()): Entry {
    const key = address === undefined || !this.#exempt(address) ? networkOf(address ?? '') : null
    if (key !== null) {
      const waitMs = this.#waitMs(key, now)
      if (waitMs > 0) return { kind: 'hasty', retryAfterSeconds: Math.ceil(waitMs / 1000) }
    }
    if (this.#inside >= this.#maxClients) {
      return { kind: 'full', reason: `all ${this.#maxClients} places for viewers are taken` }
    }
    if (key !== null && (this.#present.get(key) ?? 0) >= this.#maxPerAddress) {
      return {
        kind: 'full',
        reason: `all ${this.#maxPerAddress} places for viewers of one address are taken`,
      }
    }
    this.#count(key, 1)
    let gone = false
    return {
      kind: 'in',
      leave: () => {
        if (!gone) this.#count(key, -1)
        gone = true
      },
    }
  }

  #count(key: string | null, by: 1 | -1): void {
    this.#inside += by
    if (key === null) return
    const present = (this.#present.get(key) ?? 0) + by
    if (present === 0) this.#present.delete(key)
    else this.#present.set(key, present)
  }

  /** Takes a turn of the address; if there is none, how long until there will be, in ms. */
  #waitMs(key: string, now: number): number {
    const rate = this.#rates.get(key) ?? new Gcra(this.#rate)
    const waitMs = rate.take(1, now) ? 0 : rate.msUntil(1, now)
    this.#rates.delete(key)
    this.#rates.set(key, rate)
    for (const [oldest, its] of this.#rates) {
      if (its.balance(now) < its.burst && this.#rates.size <= REMEMBERED) break
      this.#rates.delete(oldest)
    }
    return waitMs
  }
}

/** Whether an address is this machine's own: `127.0.0.0/8`, also as IPv4 in IPv6, or `::1`. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return LOOPBACK.check(address, 'ipv4')
  return isIPv6(address) && LOOPBACK.check(address, 'ipv6')
}

/** What is counted as one address: IPv4 as it is, of IPv6 the first 64 bits. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1] as string
  const plain = address.split('%', 1)[0] as string
  if (!isIPv6(plain)) return address
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  // "::" stands for as many zeros as are missing; a dotted IPv4 at the end takes the room of two groups.
  const after = tail ? tail.split(':') : []
  const groups = before.length + after.length + (plain.includes('.') ? 1 : 0)
  const all = [...before, ...Array.from({ length: tail === undefined ? 0 : 8 - groups }, () => '0'), ...after]
  const first = all.slice(0, 4).map(group => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/64`
}
