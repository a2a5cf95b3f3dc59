import { describe, expect, it } from 'vitest'
import {
  PIECE_BREAK,
  PIECE_COUNT_MASK,
  PIECE_TYPE_SHIFT,
  SHAPE_BREAK,
  SHAPE_COMPLEX,
  SHAPE_KIND_SHIFT,
  SHAPE_NEWLINE,
  SHAPE_PIECES_MASK,
  SHAPE_SPACES_MASK,
  SHAPE_SPACES_SHIFT,
  SHAPE_WIDTH_MASK,
} from '../../../compositor/tokens/record.ts'
import { TextShaper } from '../../../compositor/tokens/shape.ts'
import { TokenPage } from '../../../compositor/tokens/token-page.ts'

const TYPES = ['word', 'spaces', 'newlines', 'tabs']

/** A shape in words: a `|` where a line may break, then kinds and amounts. */
function told(shape: number, page: TokenPage): string {
  if ((shape & SHAPE_COMPLEX) === 0) {
    const spaces = (shape >>> SHAPE_SPACES_SHIFT) & SHAPE_SPACES_MASK
    return `${spaces} ${shape & SHAPE_BREAK ? '|' : ''}${shape & SHAPE_WIDTH_MASK}`
  }
  const at = shape & SHAPE_PIECES_MASK
  const pieces = [...page.pieces.slice(at + 1, at + 1 + (page.pieces[at] as number))]
  const words = pieces.map(
    piece =>
      `${piece & PIECE_BREAK ? '|' : ''}${TYPES[piece >>> PIECE_TYPE_SHIFT]} ${piece & PIECE_COUNT_MASK}`,
  )
  return words.join(', ') + (shape & SHAPE_NEWLINE ? ' ↵' : '')
}

/** The last of these tokens, after the others. */
function shapeOf(...tokens: string[]): string {
  const page = new TokenPage(0)
  const shaper = new TextShaper()
  let shape = 0
  for (const text of tokens) shape = shaper.shape(text, 0, shaper.tail, page)
  return told(shape, page)
}

describe('the shape of a text', () => {
  it.each([
    [[''], '0 0'],
    [['word'], '0 4'],
    [['  word'], '2 4'],
    [['   '], '3 0'],
    [[' '.repeat(127)], '127 0'],
    [[' '.repeat(128)], 'spaces 128'],
    [['w'.repeat(0xf_ffff)], '0 1048575'],
    [['w'.repeat(0x10_0000)], 'word 1048576'],
    [['two words'], 'word 3, spaces 1, word 5'],
    [['end.\n'], 'word 4, newlines 1 ↵'],
    [['\r\n\r\n\r'], 'newlines 3 ↵'],
    [['\t\tx'], 'tabs 2, word 1'],
    [[' 漢'], '1 |2'],
    [['漢字'], '|word 2, |word 2'],
    [['漢a'], '|word 2, |word 1'],
    [['a-b'], 'word 2, |word 1'],
    [['a--b'], 'word 3, |word 1'],
    [['a-'], '0 2'],
    [['e\u0301x'], '0 2'],
    [['a\u00a0b'], '0 3'],
    [['a', 'b'], '0 1'],
    [['a-', 'b'], '0 |1'],
    [['a-', '-'], '0 1'],
    [['漢', 'b'], '0 |1'],
    [['漢', '', 'b'], '0 |1'],
    [['a- ', 'b'], '0 1'],
    [['\r', '\n'], '0 0'],
    [['\r', '\n\n'], 'newlines 1 ↵'],
    [['e', '\u0301'], '0 0'],
    [['👩', '\u200d', '👧'], '0 0'],
  ])('%j: %s', (tokens, expected) => {
    expect(shapeOf(...tokens)).toBe(expected)
  })

  it('tells the kind as well, and keeps the same pieces once', () => {
    const page = new TokenPage(0)
    const shaper = new TextShaper()
    const shapes = ['a', 'a b', '\n', 'a b'].map((text, i) => shaper.shape(text, i % 3, 0, page))
    expect(shapes.map(shape => (shape >>> SHAPE_KIND_SHIFT) & 3)).toEqual([0, 1, 2, 0])
    expect((shapes[1] as number) & SHAPE_PIECES_MASK).toBe((shapes[3] as number) & SHAPE_PIECES_MASK)
    expect(page.piecesUsed).toBe(4 + 2)
  })
})
