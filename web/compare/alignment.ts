import { commonPairs } from './common-subsequence.ts'

/** One place of an alignment: the index of the token that each text has there, null where it has none. */
export interface Slot {
  at: (number | null)[]
  /** Every text has a token here, and the same one; or says the same here in other pieces. */
  same: boolean
}

/** Texts laid beside each other, token by token. */
export interface Alignment {
  slots: Slot[]
  /** The first slot where they are not the same; null where they are the same throughout. */
  parting: number | null
  /** The share of all tokens that is the same in all texts, 0 … 1; null where there are none. */
  shared: number | null
}

/**
 * Lays texts beside each other: each against all that are laid already, so that two of them that agree stand together
 * where the others say something else. Between two places that are common, tokens that differ stand beside each
 * other in their order. Pieces that say the same where they end, only cut otherwise, as another tokeniser does,
 * are the same.
 *
 * @param texts the tokens of each text, two at least
 */
export function align(texts: readonly (readonly string[])[], mostDifferences?: number): Alignment {
  const numbered = numbersOf(texts)
  let laid: Slot['at'][] = texts[0]?.map((_, i) => [i]) ?? []
  for (const [of, tokens] of numbered.entries()) {
    if (of === 0) continue
    // What each slot says, in numbers: one for each text that is laid already.
    const said = numbered.slice(0, of).map((text, i) => Int32Array.from(laid, at => text[at[i] ?? -1] ?? -1))
    const [one] = said as [Int32Array]
    const same =
      of === 1
        ? (slot: number, index: number) => one[slot] === tokens[index]
        : (slot: number, index: number) => said.some(text => text[slot] === tokens[index])
    const pairs = commonPairs({ first: laid.length, second: tokens.length, same }, mostDifferences)
    laid = laidBeside(laid, of, tokens.length, pairs)
  }
  const slots = laid.map((at): Slot => {
    const first = texts[0]?.[at[0] ?? -1]
    return { at, same: at.every((index, of) => index !== null && texts[of]?.[index] === first) }
  })
  recognise(slots, texts)
  const parting = slots.findIndex(slot => !slot.same)
  return { slots, parting: parting === -1 ? null : parting, shared: sharedOf(slots) }
}

/** How many tokens a text has before a slot. */
export function tokensBefore(slots: readonly Slot[], slot: number, text: number): number {
  let count = 0
  for (let i = 0; i < slot; i++) if (slots[i]?.at[text] !== null) count++
  return count
}

/** The slots with one text more, given which of its tokens stand where. */
function laidBeside(
  slots: readonly Slot['at'][],
  of: number,
  length: number,
  pairs: readonly [slot: number, index: number][],
): Slot['at'][] {
  const wider: Slot['at'][] = []
  let [slot, index] = [0, 0]
  for (const [toSlot, toIndex] of [...pairs, [slots.length, length] as const]) {
    // What differs stands beside what differs, as long as both have some.
    while (slot < toSlot) wider.push([...(slots[slot++] as Slot['at']), index < toIndex ? index++ : null])
    while (index < toIndex) wider.push([...new Array<null>(of).fill(null), index++])
    if (toSlot < slots.length) wider.push([...(slots[slot++] as Slot['at']), index++])
  }
  return wider
}

/** Marks what says the same in other pieces: between two slots that are the same, or at an end. */
function recognise(slots: Slot[], texts: readonly (readonly string[])[]): void {
  for (let from = 0; from < slots.length; from++) {
    if (slots[from]?.same) continue
    let to = from
    while (to < slots.length && !slots[to]?.same) to++
    const said = texts.map((tokens, of) =>
      slots
        .slice(from, to)
        .map(({ at }) => tokens[at[of] ?? -1] ?? '')
        .join(''),
    )
    if (said.every(text => text === said[0])) for (const slot of slots.slice(from, to)) slot.same = true
    from = to
  }
}

function sharedOf(slots: readonly Slot[]): number | null {
  let [all, shared] = [0, 0]
  for (const { at, same } of slots) {
    const tokens = at.filter(index => index !== null).length
    all += tokens
    if (same) shared += tokens
  }
  return all === 0 ? null : shared / all
}

/** The same number for the same token. */
function numbersOf(texts: readonly (readonly string[])[]): Int32Array[] {
  const numbers = new Map<string, number>()
  return texts.map(tokens =>
    Int32Array.from(tokens, token => {
      const number = numbers.get(token) ?? numbers.size
      numbers.set(token, number)
      return number
    }),
  )
}
