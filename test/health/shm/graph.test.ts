import fc from 'fast-check'
import { expect, test } from 'vitest'
import { graphOf } from '../../../health/shm/graph.ts'

test('a graph holds each pair of files once, with its lowest line, and no file that imports itself', () => {
  const file = fc.nat({ max: 5 })
  const edges = fc.array(fc.record({ from: file, to: file, line: fc.integer({ min: 1, max: 9 }) }))
  fc.assert(
    fc.property(edges, all => {
      const { count, offsets, targets, lines } = graphOf(6, all)
      const lowest = new Map<string, number>()
      for (const { from, to, line } of all) {
        const pair = `${from} ${to}`
        if (from !== to) lowest.set(pair, Math.min(line, lowest.get(pair) ?? line))
      }
      expect(count).toBe(6)
      const told = Array.from({ length: count }, (_, from) => {
        const [first, last] = [offsets[from] as number, offsets[from + 1] as number]
        const row = [...targets.subarray(first, last)]
        expect(row).toEqual(row.toSorted((one, other) => one - other))
        return row.map((to, i): [string, number] => [`${from} ${to}`, lines[first + i] as number])
      }).flat()
      expect(new Map(told)).toEqual(lowest)
      expect(told).toHaveLength(lowest.size)
      expect(targets).toHaveLength(lowest.size)
    }),
  )
})
