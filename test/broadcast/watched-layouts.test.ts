import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LAYOUTS, type LayoutName } from '../../broadcast/protocol/view.ts'
import { WatchedLayouts } from '../../broadcast/watched-layouts.ts'
import { rounds } from '../support/rounds.ts'

const anyStep = fc.record({
  viewer: fc.nat(4),
  does: fc.constantFrom('follow', 'ask', 'delete'),
  layout: fc.constantFrom(...LAYOUTS),
})

describe('the layouts that are watched', () => {
  it('are those that somebody follows or asked about last, told whenever they change', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), steps => {
        let told: LayoutName[] = []
        let times = 0
        const watched = new WatchedLayouts<number>(layouts => {
          told = [...layouts].sort()
          times++
        })
        const live = new Map<number, LayoutName>()
        const asked = new Map<number, LayoutName>()
        for (const { viewer, does, layout } of steps) {
          const before = told
          const timesBefore = times
          if (does === 'follow') {
            if ((live.get(viewer) ?? 'map') !== layout) asked.delete(viewer)
            live.set(viewer, layout)
            watched.follow(viewer, layout)
          } else if (does === 'ask') {
            asked.set(viewer, layout)
            watched.ask(viewer, layout)
          } else {
            live.delete(viewer)
            asked.delete(viewer)
            watched.delete(viewer)
          }
          const expected = new Set([...asked.values(), ...[...live.values()].filter(name => name !== 'map')])
          expect(told).toEqual([...expected].sort())
          expect(times - timesBefore).toBe(String(told) === String(before) ? 0 : 1)
          for (const name of LAYOUTS) {
            const followers = [...live].filter(([, followed]) => followed === name && name !== 'map')
            expect([...watched.liveIn(name)].sort()).toEqual(followers.map(([follower]) => follower).sort())
          }
          expect(watched.liveOf(viewer)).toBe(live.get(viewer) ?? 'map')
        }
      }),
      { numRuns: rounds(2000) },
    )
  })
})
