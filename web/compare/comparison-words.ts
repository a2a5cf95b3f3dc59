import { formatCount, formatPercent } from '../format.ts'
import { tokensBefore } from './alignment.ts'
import { type Comparison, LETTERS, MOST_TOKENS } from './comparison.ts'

/** How they compare, as sentences. */
export function comparisonWords(comparison: Comparison): string {
  const { slots, shared, isCut, texts } = comparison
  if (slots.length === 0) return 'No tokens to compare yet.'
  // Where nothing has come yet there is nothing to part from.
  if (texts.some(({ length }) => length === 0)) return 'Not all of them have tokens yet.'
  const common = shared === null ? '' : ` ${formatPercent(shared)} of all tokens are common.`
  const cut = isCut ? ` The first ${formatCount(MOST_TOKENS)} tokens of each are compared.` : ''
  return `${partingWords(comparison)}${comparison.parting === null ? '' : common}${cut}`
}

/** Where they part, as a sentence. */
export function partingWords({ slots, parting, generations, texts }: Comparison): string {
  const live = generations.some(generation => generation.live)
  if (parting === null)
    return `The same ${live ? 'so far' : 'throughout'}: ${countOf(tokensBefore(slots, slots.length, 0))}.`
  const before = generations.map((_, of) => tokensBefore(slots, parting, of))
  const ended = generations.flatMap((generation, of) =>
    before[of] === texts[of]?.length
      ? [{ letter: LETTERS[of], before: before[of] as number, generation }]
      : [],
  )
  const [one] = ended
  if (one === undefined) return `They part at token ${(before[0] as number) + 1}.`
  // One that is still at it may yet say the same.
  if (ended.some(({ generation }) => generation.live))
    return `The same so far: ${one.letter} has ${countOf(one.before)}.`
  return `The same until ${ended.map(({ letter }) => letter).join(' and ')} ${ended.length === 1 ? 'ends' : 'end'}, after ${countOf(one.before)}.`
}

function countOf(tokens: number): string {
  return `${formatCount(tokens)} ${tokens === 1 ? 'token' : 'tokens'}`
}
