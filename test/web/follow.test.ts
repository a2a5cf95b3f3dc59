import { describe, expect, it } from 'vitest'
import type { TokenEntry } from '../../events/generation.ts'
import { BlockIndex } from '../../web/block-index.ts'
import { Generation } from '../../web/generation.ts'
import { toScreen, type Viewport } from '../../web/map/camera.ts'
import { fitAll, followPose } from '../../web/map/follow.ts'
import { GLOW_MS, Landings } from '../../web/map/landings.ts'

const VIEW: Viewport = { width: 1000, height: 700, left: 0, top: 0, right: 0, bottom: 44 }
const AWAY = { x: 5000, y: 5000, scale: 20 }

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
    expect(followPose(new BlockIndex(), [], VIEW, AWAY)).toBeNull()
  })

  it('shows everything while that is readable, and then stays', () => {
    const blocks = new BlockIndex()
    const generation = place(blocks, 'g_1', [
      [0, 0],
      [31, 31],
    ])
    const pose = followPose(blocks, [generation], VIEW, AWAY)
    expect(pose).toEqual(fitAll(blocks, VIEW))
    expect(followPose(blocks, [generation], VIEW, pose ?? AWAY)).toBeNull()
  })

  it('keeps what is being written in view once all would be too small', () => {
    const blocks = new BlockIndex()
    place(blocks, 'g_1', [[0, 0]])
    const live = place(blocks, 'g_2', [[2000, 2000]])
    const pose = followPose(blocks, [live], VIEW, AWAY)
    expect(pose).not.toBeNull()
    const at = toScreen(pose ?? AWAY, VIEW, 2000.5, 2000.5)
    expect(at.x).toBeGreaterThan(0)
    expect(at.x).toBeLessThan(VIEW.width)
    expect(at.y).toBeGreaterThan(0)
    expect(at.y).toBeLessThan(VIEW.height - VIEW.bottom)
    expect(followPose(blocks, [live], VIEW, pose ?? AWAY)).toBeNull()
    expect(followPose(blocks, [], VIEW, AWAY)).toBeNull()
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
    expect(blocks.at(16, 9)).toBeNull()
    blocks.clear()
    expect(blocks.bounds).toBeNull()
  })
})

describe('landings', () => {
  it('glow for 400 ms and are then forgotten', () => {
    const landings = new Landings()
    const generation = new Generation('g_1')
    landings.add(generation, 0, 1000)
    landings.add(generation, 1, 1200)
    expect(landings.at(1000 + GLOW_MS - 1)).toHaveLength(2)
    expect(landings.at(1000 + GLOW_MS)).toHaveLength(1)
    expect(landings.at(2000)).toHaveLength(0)
    expect(landings.any).toBe(false)
  })

  it('are bounded in number, the newest kept', () => {
    const landings = new Landings()
    const generation = new Generation('g_1')
    for (let i = 0; i < 1000; i++) landings.add(generation, i, 0)
    expect(landings.at(0).length).toBeLessThan(100)
    expect(landings.at(0).at(-1)?.index).toBe(999)
  })
})
