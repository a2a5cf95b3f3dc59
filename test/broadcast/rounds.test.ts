import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Rounds } from '../../broadcast/rounds.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

const opened: Rounds<Patron>[] = []

afterEach(async () => {
  // What still runs would turn the clock of the next test.
  for (const rounds of opened.splice(0)) await rounds.finish()
  vi.useRealTimers()
})

/** One who is served, which takes some time each. */
class Patron {
  readonly targets: number[] = []
  costMs = 0
  onPump: () => void = () => {}

  pump(target: number): void {
    this.onPump()
    if (this.targets.at(-1) !== target) this.targets.push(target)
    vi.advanceTimersByTime(this.costMs)
  }
}

/** A log, and rounds that serve so many. */
function open(count: number) {
  const log = new TokenLog({ place: mapPosition })
  const patrons = Array.from({ length: count }, () => new Patron())
  const viewers = new Set(patrons)
  const faults: Patron[] = []
  let ended = 0
  const rounds = new Rounds({
    log,
    viewers,
    fault: patron => faults.push(patron),
    ended: () => {
      ended++
    },
  })
  rounds.start()
  opened.push(rounds)
  let index = 1
  return {
    log,
    patrons,
    viewers,
    first: patrons[0] as Patron,
    last: patrons.at(-1) as Patron,
    rounds,
    faults,
    ended: () => ended,
    state: () => log.append(stateEvent('g_a'), 0),
    token: () => log.append(tokenEvent('g_a', index++), 0),
    opening: () => log.append(tokenEvent('g_b', 0), 0),
    /** Rounds cost so much from now on, as far as is known: five of them have. */
    async takingMs(ms: number) {
      for (const patron of patrons) patron.costMs = ms / count
      for (let i = 0; i < 5; i++) {
        log.append(stateEvent('g_a'), 0)
        await idle(rounds)
      }
    },
  }
}

/** Until no round is running or about to; tokens that are being gathered stay so. */
async function idle(rounds: Rounds<Patron>): Promise<void> {
  do await new Promise(setImmediate)
  while (rounds.underWay && vi.getTimerCount() === 0)
}

describe('a round', () => {
  it('brings everybody to the head of when it began', async () => {
    const { patrons, rounds, token, ended, log } = open(3)
    token()
    token()
    await idle(rounds)
    expect(patrons.map(({ targets }) => targets)).toEqual([[2], [2], [2]])
    expect(rounds.target).toBe(log.head)
    expect(ended()).toBe(1)
  })

  it('begins at the end of the turn, once for all that came in it', async () => {
    const { first, rounds, state, opening, token, ended } = open(1)
    state()
    opening()
    token()
    expect(first.targets).toEqual([])
    await idle(rounds)
    expect(first.targets).toEqual([3])
    expect(ended()).toBe(1)
  })

  it('does not begin while nobody watches', async () => {
    const { log, rounds, state, ended } = open(0)
    state()
    expect(rounds.underWay).toBe(false)
    await idle(rounds)
    expect(ended()).toBe(0)
    expect(rounds.waitingMs).toBe(0)
    rounds.reset()
    expect(rounds.target).toBe(log.head)
  })

  it('comes at once for what is urgent after all have left amid a round, and somebody came', async () => {
    const { rounds, patrons, viewers, state, log } = open(10)
    for (const patron of patrons) patron.costMs = 2
    state()
    while (viewers.size > 0) {
      await new Promise(setImmediate)
      if (patrons[0]?.targets.length === 0) continue
      expect(rounds.underWay).toBe(true)
      state()
      viewers.clear()
    }
    await idle(rounds)
    const newcomer = new Patron()
    rounds.reset()
    viewers.add(newcomer)
    state()
    await idle(rounds)
    expect(newcomer.targets).toEqual([log.head])
  })

  it('lets others have their turns in between, and keeps its target', async () => {
    const { patrons, first, last, rounds, state, token } = open(100)
    for (const patron of patrons) patron.costMs = 1
    let turns = 0
    const count = () => {
      turns++
      if (rounds.underWay) setImmediate(count)
    }
    first.onPump = () => {
      first.onPump = () => {}
      setImmediate(count)
    }
    last.onPump = () => {
      last.onPump = () => {}
      expect(last.targets).toEqual([])
    }
    state()
    await new Promise(setImmediate)
    expect(first.targets).toEqual([1])
    expect(last.targets).toEqual([])
    token()
    while (last.targets.length < 1) await new Promise(setImmediate)
    expect(last.targets).toEqual([1])
    // A slice is over after three of them.
    expect(turns).toBeGreaterThanOrEqual(33)
    expect(rounds.target).toBe(1)
  })

  it('goes on with the others if one throws, who is told about', async () => {
    const { patrons, faults, rounds, state, ended } = open(3)
    const second = patrons[1] as Patron
    second.onPump = () => {
      throw new Error('broken')
    }
    state()
    await idle(rounds)
    expect(patrons.map(({ targets }) => targets)).toEqual([[1], [], [1]])
    expect(faults).toEqual([second])
    expect(ended()).toBe(1)
    state()
    await idle(rounds)
    expect(patrons.map(({ targets }) => targets)).toEqual([[1, 2], [], [1, 2]])
  })

  it('follows a running one at once for a state, whatever that one took', async () => {
    const { first, last, rounds, state } = open(100)
    first.costMs = 100
    state()
    await new Promise(setImmediate)
    state()
    expect(last.targets).toEqual([])
    while (last.targets.length < 2) await new Promise(setImmediate)
    expect(first.targets).toEqual([1, 2])
    expect(last.targets).toEqual([1, 2])
    expect(vi.getTimerCount()).toBe(0)
    await idle(rounds)
  })
})

describe('gathering', () => {
  it('does not happen while rounds are cheap', async () => {
    const { first, rounds, token, takingMs } = open(1)
    await takingMs(0.4)
    const at = token()
    await idle(rounds)
    expect(first.targets.at(-1)).toBe(at)
  })

  it('takes three times as long as a round', async () => {
    const { first, rounds, token, takingMs } = open(1)
    await takingMs(5)
    const at = token()
    await idle(rounds)
    vi.advanceTimersByTime(14)
    expect(first.targets.at(-1)).toBeLessThan(at)
    vi.advanceTimersByTime(1)
    expect(first.targets.at(-1)).toBe(at)
  })

  it('takes 40 ms at most, counted from the first token that waits', async () => {
    const { first, rounds, token, takingMs } = open(1)
    await takingMs(20)
    vi.advanceTimersByTime(2)
    const at = token()
    await idle(rounds)
    vi.advanceTimersByTime(20)
    const later = token()
    await idle(rounds)
    vi.advanceTimersByTime(17)
    expect(first.targets.at(-1)).toBeLessThan(at)
    vi.advanceTimersByTime(3)
    expect(first.targets.at(-1)).toBe(later)
  })

  it('counts what waited while the round before was running', async () => {
    const { first, rounds, state, token, takingMs } = open(4)
    await takingMs(30)
    // Comes when the next round has just begun: 30 ms of its 40 pass until that is over.
    let at = 0
    first.onPump = () => {
      if (at === 0) at = token()
    }
    state()
    await idle(rounds)
    expect(first.targets.at(-1)).toBe(at - 1)
    vi.advanceTimersByTime(9)
    expect(first.targets.at(-1)).toBe(at - 1)
    vi.advanceTimersByTime(1)
    expect(first.targets.at(-1)).toBe(at)
  })

  it('leaves a pause between rounds that take longer than that', async () => {
    const { first, rounds, state, token, takingMs } = open(1)
    await takingMs(100)
    let at = 0
    first.onPump = () => {
      if (at === 0) at = token()
    }
    state()
    await idle(rounds)
    vi.advanceTimersByTime(24)
    expect(first.targets.at(-1)).toBe(at - 1)
    vi.advanceTimersByTime(1)
    expect(first.targets.at(-1)).toBe(at)
  })

  it('ends for a state and for the first token of a generation, which take along what waits', async () => {
    const { first, rounds, state, opening, token, takingMs } = open(1)
    await takingMs(20)
    for (const urgent of [state, opening]) {
      token()
      await idle(rounds)
      expect(vi.getTimerCount()).toBe(1)
      const at = urgent()
      await idle(rounds)
      expect(first.targets.at(-1)).toBe(at)
      expect(vi.getTimerCount()).toBe(0)
    }
  })

  it('takes no notice of one long round: that may have been a pause of the process', async () => {
    const { first, rounds, state, token, takingMs } = open(1)
    await takingMs(0.1)
    first.costMs = 100
    state()
    await idle(rounds)
    first.costMs = 0.1
    const at = token()
    await idle(rounds)
    expect(first.targets.at(-1)).toBe(at)
  })
})

describe('the end', () => {
  it('serves what waits, after the round that is running, and follows the log no more', async () => {
    const { log, patrons, last, rounds, state, token } = open(20)
    for (const patron of patrons) patron.costMs = 1
    state()
    await new Promise(setImmediate)
    expect(last.targets).toEqual([])
    token()
    await rounds.finish()
    expect(last.targets).toEqual([1, 2])
    state()
    expect(rounds.underWay).toBe(false)
    await new Promise(setImmediate)
    expect(last.targets).toEqual([1, 2])
    expect(log.head).toBe(3)
  })

  it('does not wait for what is being gathered', async () => {
    const { first, rounds, token, takingMs } = open(1)
    await takingMs(20)
    const at = token()
    await idle(rounds)
    await rounds.finish()
    expect(first.targets.at(-1)).toBe(at)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('how long entries have waited', () => {
  it('is counted from the oldest that no round was for', async () => {
    const log = new TokenLog({ place: mapPosition })
    const rounds = new Rounds({ log, viewers: new Set([new Patron()]), fault: () => {}, ended: () => {} })
    expect(rounds.waitingMs).toBe(0)
    // Nobody follows the log.
    vi.advanceTimersByTime(1000)
    log.append(stateEvent('g_a'), 0)
    vi.advanceTimersByTime(700)
    log.append(stateEvent('g_a'), 0)
    vi.advanceTimersByTime(800)
    expect(rounds.waitingMs).toBe(1500)
  })

  it('is that of the oldest kept, where older ones fell out of the log meanwhile', () => {
    const log = new TokenLog({ place: mapPosition, maxEntries: 2 })
    const rounds = new Rounds({ log, viewers: new Set([new Patron()]), fault: () => {}, ended: () => {} })
    for (let i = 0; i < 3; i++) log.append(stateEvent('g_a'), 0)
    vi.advanceTimersByTime(100)
    expect(rounds.waitingMs).toBe(100)
  })

  it('is nothing after a round', async () => {
    const { rounds, state } = open(1)
    vi.advanceTimersByTime(1000)
    state()
    vi.advanceTimersByTime(1000)
    expect(rounds.waitingMs).toBe(1000)
    await idle(rounds)
    expect(rounds.waitingMs).toBe(0)
  })
})
