import type { Generation } from '../generation.ts'
import { type Alignment, align } from './alignment.ts'
import { columnOf, type Given, type Piece } from './column.ts'
import { type Stretch, stretchesOf } from './stretches.ts'

/** Tokens of each generation that are compared; what comes after them is not looked at. */
export const MOST_TOKENS = 10_000

/** What a sentence ends with. */
const ENDS = /[.!?。！？]\s*$/u

/** How a column is called. */
export const LETTERS = ['A', 'B', 'C', 'D'] as const

/** Generations laid beside each other. */
export interface Comparison extends Alignment {
  generations: readonly Generation[]
  /** What stands in each column, as far as it was compared. */
  columns: readonly (readonly Piece[])[]
  /** Its texts. One that is not held is like no other. */
  texts: readonly (readonly string[])[]
  stretches: Stretch[]
  /** Of one there are more tokens than were compared. */
  isCut: boolean
}

/**
 * Lays two to four generations beside each other, as far as they are held.
 *
 * @param givens what those that go on from others were given to go on with, by id
 */
export function compare(
  generations: readonly Generation[],
  givens: ReadonlyMap<string, Given> = new Map(),
): Comparison {
  const whole = generations.map(generation => columnOf(generation, givens))
  const columns = whole.map(pieces => pieces.slice(0, MOST_TOKENS))
  const texts = columns.map((pieces, of) => pieces.map(({ text, held }, i) => (held ? text : `\0${of}:${i}`)))
  const alignment = align(texts)
  const { slots } = alignment
  const pauses = (slot: number, same: boolean) => {
    const said =
      slots[slot]?.at.map((index, of) => (index === null ? '\n' : (texts[of]?.[index] ?? ''))) ?? []
    // A sentence that ends in all columns at once is where they are level again; what is the same is level anyway.
    return (
      said.every(text => text.endsWith('\n')) ||
      (!same && slots[slot]?.same === true && ENDS.test(said[0] ?? ''))
    )
  }
  return {
    ...alignment,
    ...{ generations, columns, texts },
    stretches: stretchesOf(slots, pauses),
    isCut: whole.some(({ length }) => length > MOST_TOKENS),
  }
}

/** What stands in a column at a slot; null where nothing does. */
export function pieceAt({ columns, slots }: Comparison, slot: number, of: number): Piece | null {
  const at = slots[slot]?.at[of]
  return at == null ? null : (columns[of]?.[at] ?? null)
}
