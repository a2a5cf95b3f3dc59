import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Watching } from '../../compositor/watching.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('what is watched', () => {
  it('is what viewers have before them, and for a while what was asked about', () => {
    const seen: string[] = []
    const watching = new Watching(() => seen.push(watching.layouts.join(' ')))
    watching.view(new Set(['timeline', 'map']))
    const first = watching.ask('flow')
    const second = watching.ask('flow')
    first()
    vi.advanceTimersByTime(60_000)
    second()
    vi.advanceTimersByTime(6000)
    watching.ask('flow')()
    watching.ask('map')()
    vi.advanceTimersByTime(6000)
    expect(watching.layouts).toEqual(['map', 'flow', 'timeline'])
    watching.view(new Set())
    vi.advanceTimersByTime(60_000)
    expect(watching.layouts).toEqual([])
    expect(seen).toEqual(['map timeline', 'map flow timeline', 'map flow', 'map', ''])
  })

  it('is nothing yet where viewers are that look at nothing', () => {
    const seen: [boolean, string][] = []
    const watching = new Watching(() => seen.push([watching.active, watching.layouts.join(' ')]))
    watching.attend(true)
    watching.attend(true)
    watching.view(new Set(['flow']))
    watching.attend(false)
    watching.view(new Set())
    expect(seen).toEqual([
      [true, ''],
      [true, 'flow'],
      [false, ''],
    ])
  })

  it('is told only when it changes, and not after the end', () => {
    const changed = vi.fn()
    const watching = new Watching(changed)
    watching.view(new Set(['map']))
    watching.view(new Set(['map']))
    watching.ask('map')()
    watching.ask('flow')()
    const late = watching.ask('flow')
    expect(changed).toHaveBeenCalledTimes(2)
    watching.stop()
    late()
    vi.advanceTimersByTime(60_000)
    expect(changed).toHaveBeenCalledTimes(2)
  })
})
