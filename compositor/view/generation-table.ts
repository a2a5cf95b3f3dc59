/** What tiles are counted with: each generation's lane, panels and model, and whether it counts. */
import type { TokenStore } from '../tokens/token-store.ts'
import {
  GENERATION_LANE,
  GENERATION_MODEL,
  GENERATION_PANELS,
  GENERATION_PASSES,
  GENERATION_WORDS,
} from './channels.ts'

export interface GenerationTable {
  /** GENERATION_WORDS a generation, by slot. */
  generations: Uint32Array
  panels: Uint32Array
}

/** @param passes by slot, 1 if its tokens count; null if all do */
export function generationTable(store: TokenStore, passes: Uint8Array | null): GenerationTable {
  const generations = new Uint32Array(store.generations.length * GENERATION_WORDS)
  const panels: number[] = []
  for (const row of store.generations) {
    const at = row.slot * GENERATION_WORDS
    generations[at + GENERATION_LANE] = row.lane
    generations[at + GENERATION_PASSES] = passes === null ? 1 : (passes[row.slot] as number)
    generations[at + GENERATION_MODEL] = row.model + 1
    generations[at + GENERATION_PANELS] = panels.length
    for (const panel of row.panels) panels.push(panel)
  }
  return { generations, panels: Uint32Array.from(panels) }
}
