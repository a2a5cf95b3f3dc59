import { describe, expect, it } from 'vitest'
import { Audience, SLOTS } from '../../broadcast/audience.ts'
import { TokenLog } from '../../broadcast/token-log.ts'
import type { Viewer } from '../../broadcast/viewer.ts'
import { mapPosition } from '../../compositor/layout/map.ts'
import { FakeViewer } from '../support/hub-socket.ts'

function viewers(count: number): Viewer[] {
  const log = new TokenLog({ place: mapPosition })
  return Array.from({ length: count }, () => new FakeViewer(log).viewer)
}

function sizes(audience: Audience): number[] {
  return Array.from({ length: SLOTS }, (_, index) => audience.slot(index).size)
}

describe('an audience', () => {
  it('has each viewer in one slot, and the slots evenly filled', () => {
    const audience = new Audience()
    const all = viewers(3 * SLOTS)
    for (const viewer of all) audience.add(viewer)
    expect(audience.size).toBe(all.length)
    expect(sizes(audience)).toEqual(new Array(SLOTS).fill(3))
    expect(new Set(audience)).toEqual(new Set(all))
    expect([...audience].length).toBe(all.length)
  })

  it('fills up where somebody has gone', () => {
    const audience = new Audience()
    const all = viewers(2 * SLOTS)
    for (const viewer of all) audience.add(viewer)
    const gone = [...audience.slot(7)]
    for (const viewer of gone) audience.delete(viewer)
    expect(audience.size).toBe(all.length - 2)
    expect(audience.slot(7).size).toBe(0)
    for (const viewer of gone) audience.add(viewer)
    expect(sizes(audience)).toEqual(new Array(SLOTS).fill(2))
    for (const viewer of all) audience.delete(viewer)
    for (const viewer of all) audience.delete(viewer)
    expect(audience.size).toBe(0)
    expect([...audience]).toEqual([])
  })
})
