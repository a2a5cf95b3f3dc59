import { TokenscopeError } from '../../events/errors.ts'

/** What a cursor is of: one of a list means nothing to another. */
export type CursorKind = 'generations' | 'tokens'

const LETTERS: Record<CursorKind, string> = { generations: 'g', tokens: 't' }

/** A place in a list as its readers are given it, who need not know what is in it. */
export function cursorOf(kind: CursorKind, place: number): string {
  return Buffer.from(`${LETTERS[kind]}${place}`).toString('base64url')
}

/** @throws TokenscopeError BAD_REQUEST (param `cursor`) if it is no cursor of that kind */
export function placeOf(kind: CursorKind, cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const place = Number(text.slice(1))
  if (Number.isSafeInteger(place) && place >= 0 && cursorOf(kind, place) === cursor) return place
  throw new TokenscopeError(
    'BAD_REQUEST',
    'The cursor is none that a page of this list came with. Ask without one, and go on with what the answer has.',
    { param: 'cursor' },
  )
}
