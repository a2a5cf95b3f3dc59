import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SnapshotAssembly } from '../../../broadcast/client/snapshot-assembly.ts'
import { ProtocolError } from '../../../broadcast/protocol/byte-codec.ts'
import { codePoints } from '../../support/code-points.ts'
import { partsOf } from '../../support/model-server.ts'

const texts = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), codePoints({ maxLength: 40 })), {
    selector: ([id]) => id,
    maxLength: 8,
  })
  .map(pairs => new Map(pairs))

describe('a snapshot in parts', () => {
  it('is whole again, wherever its texts were divided', () => {
    fc.assert(
      fc.property(texts, fc.nat(12), (wanted, most) => {
        const assembly = new SnapshotAssembly()
        const parts = partsOf(9, wanted, most)
        const given = parts.map(part => assembly.add(part))
        expect(given.slice(0, -1).every(whole => whole === null)).toBe(true)
        const whole = given.at(-1)
        expect(whole).toMatchObject({ type: 'snapshot', upto: 9, part: 0, last: true })
        expect(whole?.generations.map(({ generation, text }) => [generation, text])).toEqual([...wanted])
        expect(whole?.generations.some(told => 'text_from' in told)).toBe(false)
        expect(assembly.begun).toBe(false)
      }),
    )
  })

  it('begins anew with another first part', () => {
    const assembly = new SnapshotAssembly()
    const parts = partsOf(9, new Map([['g', 'abcdef']]), 2)
    assembly.add(parts[0] as (typeof parts)[number])
    expect(assembly.begun).toBe(true)
    expect(parts.map(part => assembly.add(part)).at(-1)?.generations[0]?.text).toBe('abcdef')
  })

  it('with a part or a piece missing is refused', () => {
    const wanted = new Map([
      ['a', 'one two three'],
      ['b', 'four five six'],
    ])
    const parts = partsOf(9, wanted, 4)
    for (let missing = 0; missing < parts.length - 1; missing++) {
      const assembly = new SnapshotAssembly()
      const rest = parts.filter((_, part) => part !== missing)
      expect(() => rest.map(part => assembly.add(part))).toThrow(ProtocolError)
      const renumbered = rest.map((part, i) => ({ ...part, part: i }))
      const other = new SnapshotAssembly()
      expect(() => renumbered.map(part => other.add(part))).toThrow(/the text of . goes on at/)
    }
    const small = partsOf(
      9,
      new Map([
        ['a', 'x'],
        ['b', 'y'],
        ['c', 'z'],
      ]),
      1,
    )
    const skipping = new SnapshotAssembly()
    expect(() => [small[0], small[2]].map(part => skipping.add(part as (typeof small)[0]))).toThrow(
      /part 2 of the snapshot at 9 does not follow/,
    )
    const [first, second] = parts as [(typeof parts)[0], (typeof parts)[0]]
    const assembly = new SnapshotAssembly()
    assembly.add(first)
    expect(() => assembly.add({ ...second, upto: 10 })).toThrow(/part 1 of the snapshot at 10/)
  })
})
