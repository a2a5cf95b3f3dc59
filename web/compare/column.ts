import type { Generation } from '../generation.ts'

/** What a generation was given to go on with: the beginning of its answer, which others said. */
export interface Given {
  text: string
  /** The generation that it goes on from; null where nobody knows of it. */
  parent: Generation | null
}

/** A piece of what stands in a column: a token, or words that no model said here. */
export interface Piece {
  /** Who said it; null: it was put in. */
  by: Generation | null
  /** Of the token; -1 where it is none. */
  index: number
  text: string
  /** The generation of the column was given it and did not say it itself. */
  given: boolean
  /** The token is held on this page. */
  held: boolean
}

/** A whole answer has a few of these at most; what is longer is a mistake in what is recorded. */
const MOST_PARENTS = 16

/**
 * What a generation's answer is made of: what it was given to go on with, as tokens of those who said it, and its own
 * tokens.
 *
 * @param givens by id, what those that go on from others were given
 */
export function columnOf(
  generation: Generation,
  givens: ReadonlyMap<string, Given>,
  parents = MOST_PARENTS,
): Piece[] {
  const own = ownPieces(generation)
  const given = givens.get(generation.id)
  if (given === undefined || parents === 0) return own
  const said = given.parent === null ? [] : columnOf(given.parent, givens, parents - 1)
  const beginning: Piece[] = []
  let at = 0
  for (const piece of said) {
    if (at === given.text.length || !piece.held || !given.text.startsWith(piece.text, at)) break
    beginning.push({ ...piece, given: true })
    at += piece.text.length
  }
  if (at < given.text.length)
    beginning.push({ by: null, index: -1, text: given.text.slice(at), given: true, held: true })
  return [...beginning, ...own]
}

/**
 * The beginning of an answer that a request gave its model to go on with: a last message of the assistant. Null where it
 * gave none.
 */
export function givenBy(body: string | null): string | null {
  if (body === null) return null
  try {
    const { messages } = JSON.parse(body) as { messages?: { role?: unknown; content?: unknown }[] }
    const last = Array.isArray(messages) ? messages.at(-1) : undefined
    return last?.role === 'assistant' && typeof last.content === 'string' ? last.content : null
  } catch {
    return null
  }
}

function ownPieces(generation: Generation): Piece[] {
  const { tokens } = generation
  return Array.from({ length: tokens.end }, (_, index) => ({
    ...{ by: generation, index, given: false },
    ...{ text: tokens.text(index), held: tokens.has(index) },
  }))
}
