import { describe, expect, it } from 'vitest'
import type { CellBounds } from '../../compositor/draw/cell.ts'
import type { TokenEntry } from '../../events/generation.ts'
import { BlockIndex } from '../../web/block-index.ts'
import { Generation } from '../../web/generation.ts'
import { toScreen, type Viewport } from '../../web/map/camera.ts'
import { blockTargets, firstPose, fitAll, followPose, zoomRange } from '../../web/map/follow.ts'
import { GLOW_MS, Landings } from '../../web/map/landings.ts'

const VIEW: Viewport = { width: 1000, height: 700, left: 0, top: 0, right: 0, bottom: 44 }
const AWAY = { x: 5000, y: 5000, zoom: 20, zoomY: 20 }
const NOTHING = { targets: [], newest: null }

/** What there is to be followed on the map. */
function onMap(blocks: BlockIndex, live: Generation[]) {
  return { bounds: blocks.bounds, targets: blockTargets(blocks, live), newest: null }
}

/** A generation with a token at each of these cells. */
function place(blocks: BlockIndex, id: string, cells: [number, number][]): Generation {
  const generation = new Generation(id)
  cells.forEach((position, index) => {
    const entry: TokenEntry = {
      type: 'token_activation',
      seq: index,
      generation: id,
      index,
      token_id: null,
      token_text: 'x',
      kind: 'message',
      timestamp: index,
      position,
      logprob: null,
      confidence: null,
      entropy: null,
      top: [],
    }
    generation.append(entry)
    blocks.put(generation, index)
  })
  return generation
}

describe('following', () => {
  it('has nowhere to go while there is nothing', () => {
    expect(followPose('map', onMap(new BlockIndex(), []), VIEW, AWAY)).toBeNull()
  })

  it('shows everything while that is readable, and then stays', () => {
    const blocks = new BlockIndex()
    const generation = place(blocks, 'g_1', [
      [0, 0],
      [31, 31],
    ])
    const pose = followPose('map', onMap(blocks, [generation]), VIEW, AWAY)
    expect(pose).toEqual(fitAll('map', blocks.bounds as CellBounds, VIEW))
    expect(followPose('map', onMap(blocks, [generation]), VIEW, pose ?? AWAY)).toBeNull()
  })

  it('keeps what is being written in view once all would be too small', () => {
    const blocks = new BlockIndex()
    place(blocks, 'g_1', [[0, 0]])
    const live = place(blocks, 'g_2', [[2000, 2000]])
    const pose = followPose('map', onMap(blocks, [live]), VIEW, AWAY)
    expect(pose).not.toBeNull()
    const at = toScreen(pose ?? AWAY, VIEW, 2000.5, 2000.5)
    expect(at.x).toBeGreaterThan(0)
    expect(at.x).toBeLessThan(VIEW.width)
    expect(at.y).toBeGreaterThan(0)
    expect(at.y).toBeLessThan(VIEW.height - VIEW.bottom)
    expect(followPose('map', onMap(blocks, [live]), VIEW, pose ?? AWAY)).toBeNull()
    expect(followPose('map', onMap(blocks, []), VIEW, AWAY)).toBeNull()
  })
})

describe('following text', () => {
  const bounds = { left: 0, top: 0, right: 96 * 60, bottom: 96 * 60 }
  const panel = { left: 96 * 30, top: 96 * 40, right: 96 * 30 + 80, bottom: 96 * 41 }

  it('goes to the panel that is written, to be read, and stays while it is seen', () => {
    const followed = { ...NOTHING, bounds, targets: [panel] }
    const pose = followPose('flow', followed, VIEW, AWAY)
    expect(pose?.zoom).toBeGreaterThanOrEqual(4)
    expect(pose?.x).toBeCloseTo(96 * 30 + 40)
    expect(followPose('flow', followed, VIEW, pose ?? AWAY)).toBeNull()
  })

  it('shows text from its top', () => {
    const pose = fitAll('flow', { left: 0, top: 0, right: 80, bottom: 20 }, VIEW)
    expect(toScreen(pose, VIEW, 0, 0).y).toBeCloseTo(28)
  })
})

describe('following time', () => {
  const bounds = { left: 0, top: 0, right: 600_000, bottom: 48 }

  it('keeps the newest at the right edge, in the zoom that was chosen', () => {
    const now = { x: 0, y: 0, zoom: 0.1, zoomY: 1.5 }
    for (const newest of [1000, 599_990]) {
      const pose = followPose('timeline', { ...NOTHING, bounds, newest }, VIEW, now)
      expect(pose?.zoom).toBe(0.1)
      const { x } = toScreen(pose ?? now, VIEW, newest, 0)
      expect(x).toBeGreaterThan(VIEW.width * 0.85)
      expect(x).toBeLessThan(VIEW.width)
    }
  })

  it('begins with what was last, where all of it could not be read', () => {
    const pose = firstPose('timeline', bounds, VIEW)
    expect(toScreen(pose, VIEW, bounds.right, 0).x).toBeLessThanOrEqual(VIEW.width)
    expect(pose.zoom).toBeGreaterThanOrEqual(0.05)
    expect(firstPose('timeline', { ...bounds, right: 2000 }, VIEW)).toEqual(
      fitAll('timeline', { ...bounds, right: 2000 }, VIEW),
    )
  })

  it('makes lanes no higher than a hand, and no lower than all of them need', () => {
    const range = zoomRange('timeline', { ...bounds, bottom: 24 * 400 }, VIEW)
    expect(range.mostY).toBe(1.5)
    expect(range.leastY * 24 * 400).toBeLessThanOrEqual(VIEW.height)
    expect(range.least * 600_000).toBeLessThan(VIEW.width)
  })
})

describe('the bounds of the map', () => {
  it('grow by quarters of a block and shrink when a generation goes', () => {
    const blocks = new BlockIndex()
    place(blocks, 'g_1', [[3, 3]])
    expect(blocks.bounds).toEqual({ left: 0, top: 0, right: 8, bottom: 8 })
    const other = place(blocks, 'g_2', [[16, 9]])
    expect(blocks.bounds).toEqual({ left: 0, top: 0, right: 24, bottom: 16 })
    blocks.drop(other)
    expect(blocks.bounds).toEqual({ left: 0, top: 0, right: 16, bottom: 16 })
    expect(blocks.blocksOf(other)).toEqual([])
    blocks.clear()
    expect(blocks.bounds).toBeNull()
  })
})

describe('landings', () => {
  const at = (x: number) => ({ x, y: 0, width: 1, height: 1 })

  it('glow for 400 ms and are then forgotten', () => {
    const landings = new Landings()
    landings.add(at(0), 1000)
    landings.add(at(1), 1200)
    expect(landings.at(1000 + GLOW_MS - 1)).toHaveLength(2)
    expect(landings.at(1000 + GLOW_MS)).toHaveLength(1)
    expect(landings.at(2000)).toHaveLength(0)
    expect(landings.any).toBe(false)
  })

  it('are bounded in number, the newest kept', () => {
    const landings = new Landings()
    for (let i = 0; i < 1000; i++) landings.add(at(i), 0)
    expect(landings.at(0).length).toBeLessThan(100)
    expect(landings.at(0).at(-1)?.x).toBe(999)
  })
})
