import { describe, expect, it } from 'vitest'
import { Playhead } from '../../../web/time/playhead.ts'

function make({ now = 1000, moments = [] as number[], resume = (_at: number): number | null => null } = {}) {
  const clock = { now }
  let waiting: ((ms: number) => void)[] = []
  const playhead = new Playhead({
    now: () => clock.now,
    moment: (at, step) =>
      (step === 1 ? moments.find(one => one > at) : moments.findLast(one => one < at)) ?? null,
    resume,
    frame: callback => {
      waiting.push(callback)
    },
  })
  /** Draws a frame at this time, in ms; says how many waited for it. */
  const frame = (ms: number) => {
    const due = waiting
    waiting = []
    for (const callback of due) callback(ms)
    return due.length
  }
  return { playhead, clock, frame }
}

describe('the playhead', () => {
  it('shows now until it is put elsewhere', () => {
    const { playhead } = make()
    expect(playhead.live.value).toBe(true)
    playhead.seek(900)
    expect([playhead.at.value, playhead.live.value]).toEqual([900, false])
    playhead.goLive()
    expect([playhead.at.value, playhead.playing.value]).toEqual([null, false])
  })

  it('shows now where it is put to what is to come', () => {
    const { playhead } = make()
    playhead.seek(900)
    playhead.seek(1001)
    expect(playhead.at.value).toBe(null)
  })

  it('plays as fast as it is told to', () => {
    const { playhead, frame } = make()
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    frame(100)
    expect(playhead.at.value).toBeCloseTo(900.1)
    playhead.speed.value = 4
    frame(200)
    expect(playhead.at.value).toBeCloseTo(900.5)
    playhead.shift(-1)
    frame(300)
    expect(playhead.at.value).toBeCloseTo(900.7)
  })

  it('plays on from where it is put meanwhile', () => {
    const { playhead, frame } = make()
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    playhead.seek(500)
    frame(100)
    expect(playhead.at.value).toBeCloseTo(500.1)
  })

  it('ends in now when it has caught up, though now goes on', () => {
    const { playhead, clock, frame } = make()
    playhead.seek(999.5)
    playhead.speed.value = 8
    playhead.toggle()
    frame(0)
    let frames = 0
    for (let ms = 50; playhead.at.value !== null; ms += 50) {
      clock.now += 0.05
      frame(ms)
      frames++
    }
    // Half a second is caught up with at seven times the pace of now: in 72 ms.
    expect(frames).toBe(2)
    expect([playhead.live.value, playhead.playing.value]).toEqual([true, false])
    expect(frame(10_000)).toBe(0)
  })

  it('does not leap over what a hidden page did not draw', () => {
    const { playhead, frame } = make()
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    frame(60_000)
    expect(playhead.at.value).toBeCloseTo(900.25)
  })

  it('asks for no frame while it holds, and for one at a time while it plays', () => {
    const { playhead, frame } = make()
    playhead.seek(900)
    expect(frame(0)).toBe(0)
    playhead.toggle()
    playhead.toggle()
    playhead.toggle()
    frame(0)
    expect(frame(100)).toBe(1)
    expect(playhead.at.value).toBeCloseTo(900.1)
    playhead.toggle()
    frame(200)
    expect(playhead.at.value).toBeCloseTo(900.1)
    expect(frame(300)).toBe(0)
  })

  it('holds now at this moment, and goes on from there', () => {
    const { playhead, frame } = make({ now: 1000 })
    playhead.toggle()
    expect([playhead.at.value, playhead.playing.value]).toEqual([1000, false])
    playhead.toggle()
    expect(frame(0)).toBe(1)
  })

  it('skips what would be long to wait for with nothing running, and says so for a while', () => {
    const { playhead, frame } = make({ resume: at => (at < 920 ? 920 : null) })
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    expect([playhead.at.value, playhead.skipped.value]).toEqual([920, 20])
    frame(100)
    expect(playhead.at.value).toBeCloseTo(920.1)
    expect(playhead.skipped.value).toBe(20)
    frame(3000)
    expect(playhead.skipped.value).toBe(null)
  })

  it('plays through a pause that is over soon at this speed', () => {
    const { playhead, frame } = make({ resume: () => 920 })
    playhead.speed.value = 8
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    expect([playhead.at.value, playhead.skipped.value]).toEqual([900, null])
  })

  it('shows now where nothing comes any more', () => {
    const { playhead, frame } = make({ resume: () => Number.POSITIVE_INFINITY })
    playhead.seek(900)
    playhead.toggle()
    frame(0)
    expect([playhead.at.value, playhead.playing.value, playhead.skipped.value]).toEqual([null, false, null])
  })

  it('steps from token to token, holding, and past the last one to now', () => {
    const { playhead } = make({ moments: [10, 20, 30] })
    playhead.step(1)
    expect(playhead.at.value).toBe(null)
    playhead.step(-1)
    expect(playhead.at.value).toBe(30)
    playhead.playing.value = true
    playhead.step(-1)
    expect([playhead.at.value, playhead.playing.value]).toEqual([20, false])
    playhead.step(-1)
    playhead.step(-1)
    expect(playhead.at.value).toBe(10)
    playhead.step(1)
    playhead.step(1)
    playhead.step(1)
    expect(playhead.at.value).toBe(null)
  })

  it('has no speed beyond the fastest and the slowest', () => {
    const { playhead } = make()
    for (let i = 0; i < 20; i++) playhead.shift(1)
    expect(playhead.speed.value).toBe(64)
    for (let i = 0; i < 20; i++) playhead.shift(-1)
    expect(playhead.speed.value).toBe(0.25)
  })
})
