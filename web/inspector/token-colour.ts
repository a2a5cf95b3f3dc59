import type { ColorName } from '../../broadcast/protocol/view.ts'
import { colourOf, KINDS, type ScaleName } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import type { TokenColumns } from '../token-columns.ts'

/** What the colours of tokens stand for, and what they are told from. */
export interface TokenInk {
  color: ColorName
  scale: ScaleName
  /** From when age is told; Unix seconds. */
  now: number
  /** The number of the generation's model among those of the map; null: not told. */
  model: number | null
}

/** The colour of a token as CSS has it, the same as on the map; null where what it stands for is not known. */
export function tokenColour(tokens: TokenColumns, index: number, ink: TokenInk): string | null {
  const colour = colourOf(ink.color, valueIn(tokens, index, ink), ink)
  return colour === null ? null : cssOfRgba(colour)
}

function valueIn(tokens: TokenColumns, index: number, ink: TokenInk): number | null {
  switch (ink.color) {
    case 'confidence':
      return tokens.confidence(index)
    case 'entropy':
      return tokens.detail(index)?.entropy ?? null
    case 'interval':
      return tokens.has(index - 1) ? (tokens.time(index) - tokens.time(index - 1)) * 1000 : null
    case 'kind':
      return KINDS.indexOf(tokens.kind(index))
    case 'model':
      return ink.model
    case 'age':
      return tokens.time(index)
  }
}
