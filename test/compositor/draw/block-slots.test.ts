import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockSlots, type SlottedBlock } from '../../../compositor/draw/block-slots.ts'

/** Slots, and what a buffer behind them would hold. */
function make() {
  const slots = new BlockSlots<SlottedBlock>()
  const held: (SlottedBlock | null)[] = []
  const done: string[] = []
  const follow = (blocks: SlottedBlock[]) => {
    slots.follow(new Map(blocks.map(block => [block.key, block])), {
      fill: (slot, block) => {
        held[slot] = block
        done.push(`fill ${slot}`)
      },
      empty: slot => {
        held[slot] = null
        done.push(`empty ${slot}`)
      },
    })
    return done.splice(0)
  }
  return { follow, held, slots }
}

const block = (key: number, used = 1): SlottedBlock => ({ key, used })

describe('slots of blocks', () => {
  it('are filled when a block is new or has grown, and not otherwise', () => {
    const { follow } = make()
    const growing = { key: 7, used: 1 }
    const settled = block(9)
    expect(follow([growing, settled])).toEqual(['fill 0', 'fill 1'])
    expect(follow([growing, settled])).toEqual([])
    growing.used++
    expect(follow([growing, settled])).toEqual(['fill 0'])
  })

  it('are filled anew where another generation has the same place', () => {
    const { follow } = make()
    follow([block(7)])
    expect(follow([block(7)])).toEqual(['fill 0'])
  })

  it('are emptied when a block is dropped, and used again', () => {
    const { follow, slots } = make()
    const [a, b, c] = [block(1), block(2), block(3)]
    follow([a, b, c])
    expect(follow([c])).toEqual(['empty 0', 'empty 1'])
    expect(follow([c, block(4), block(5), block(6)])).toEqual(['fill 0', 'fill 1', 'fill 3'])
    expect(slots.count).toBe(4)
  })

  it('hold what there is, whatever comes and goes, and no more slots than blocks at a time', () => {
    const step = fc.uniqueArray(fc.record({ key: fc.nat(20), used: fc.nat(2) }), { selector: b => b.key })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        const { follow, held, slots } = make()
        let most = 0
        for (const blocks of steps) {
          most = Math.max(most, blocks.length)
          follow(blocks)
          const present = held.filter(one => one !== null)
          expect(new Set(present)).toEqual(new Set(blocks))
          expect(present).toHaveLength(blocks.length)
        }
        expect(slots.count).toBe(most)
      }),
    )
  })
})
