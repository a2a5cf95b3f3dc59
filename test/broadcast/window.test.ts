import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Window } from '../../broadcast/window.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a window', () => {
  it('knows what was sent, and what a pong says has arrived', () => {
    const window = new Window()
    window.send(100)
    window.ping(1)
    window.send(50)
    expect([window.unacked, window.unpinged]).toEqual([150, 50])
    vi.advanceTimersByTime(7)
    expect(window.pong(1)).toBe(1)
    expect([window.unacked, window.unpinged, window.acknowledged, window.rttMs]).toEqual([50, 50, 1, 7])
  })

  it('takes a pong as the answer to all pings before it', () => {
    const window = new Window()
    for (const seq of [1, 5, 9]) {
      window.send(10)
      window.ping(seq)
    }
    expect(window.unanswered).toBe(3)
    expect(window.pong(5)).toBe(5)
    expect([window.unacked, window.unanswered]).toEqual([10, 1])
    expect(window.pong(1)).toBeNull()
    expect(window.pong(9)).toBe(9)
    expect(window.unacked).toBe(0)
    expect(window.pong(9)).toBeNull()
  })

  it('takes a pong between two pings as the answer to the one before', () => {
    const window = new Window()
    for (const seq of [2, 6]) {
      window.send(10)
      window.ping(seq)
    }
    expect(window.pong(4)).toBe(2)
    expect(window.unacked).toBe(10)
  })

  it('takes the first of several pings with one seq as answered', () => {
    const window = new Window()
    window.ping(3)
    window.send(10)
    window.ping(3)
    expect(window.pong(3)).toBe(3)
    expect(window.unacked).toBe(10)
    expect(window.pong(3)).toBe(3)
    expect(window.unacked).toBe(0)
  })

  it('is silent from when something became outstanding, be it a ping, until a pong', () => {
    const window = new Window()
    vi.advanceTimersByTime(1000)
    expect(window.silentMs).toBe(0)
    window.ping(0)
    vi.advanceTimersByTime(30)
    window.send(5)
    vi.advanceTimersByTime(30)
    expect(window.silentMs).toBe(60)
    window.pong(0)
    vi.advanceTimersByTime(20)
    expect(window.silentMs).toBe(20)
    window.ping(0)
    window.pong(0)
    vi.advanceTimersByTime(20)
    expect(window.silentMs).toBe(0)
  })

  it('never has less than nothing or more than all under way, whatever is answered', () => {
    const act = fc.oneof(
      fc.record({ do: fc.constant('send' as const), by: fc.nat(1000) }),
      fc.record({ do: fc.constant('ping' as const), by: fc.nat(9) }),
      fc.record({ do: fc.constant('pong' as const), by: fc.oneof(fc.nat(120), fc.double()) }),
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), acts => {
        const window = new Window()
        let sent = 0
        let seq = 0
        let least = 0
        for (const one of acts) {
          if (one.do === 'send') {
            sent += one.by
            window.send(one.by)
          } else if (one.do === 'ping') {
            seq += one.by
            window.ping(seq)
          } else window.pong(one.by)
          const acked = sent - window.unacked
          // What has arrived once does not go back.
          expect(acked).toBeGreaterThanOrEqual(least)
          expect(acked).toBeLessThanOrEqual(sent)
          expect(window.unpinged).toBeLessThanOrEqual(window.unacked)
          least = acked
        }
      }),
    )
  })
})
