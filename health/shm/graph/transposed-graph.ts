import type { ImportGraph } from '../graph.ts'
import type { Components } from './components.ts'

/**
 * The graph with every edge the other way round: of each file those that import it, ascending, and the lines where.
 */
export function transposed({ count, offsets, targets, lines }: ImportGraph): ImportGraph {
  const starts = new Uint32Array(count + 1)
  for (const target of targets) starts[target + 1] = (starts[target + 1] as number) + 1
  for (let node = 0; node < count; node++)
    starts[node + 1] = (starts[node + 1] as number) + (starts[node] as number)
  const slots = starts.slice()
  const sources = new Uint32Array(targets.length)
  const places = new Uint32Array(targets.length)
  for (let node = 0; node < count; node++) {
    for (let edge = offsets[node] as number; edge < (offsets[node + 1] as number); edge++) {
      const target = targets[edge] as number
      const slot = slots[target] as number
      sources[slot] = node
      places[slot] = lines[edge] as number
      slots[target] = slot + 1
    }
  }
  return { count, offsets: starts, targets: sources, lines: places }
}

/** The components of the transposed graph: the same ones, numbered the other way round. */
export function transposedComponents({ of, sizes }: Components): Components {
  return { of: of.map(component => sizes.length - 1 - component), sizes: sizes.toReversed() }
}
