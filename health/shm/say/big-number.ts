/** Digits of three rows, three columns each, in the box-drawing characters that every terminal font has. */
const DIGITS: Record<string, readonly [string, string, string]> = {
  '0': ['┏━┓', '┃ ┃', '┗━┛'],
  '1': [' ┓ ', ' ┃ ', ' ┻ '],
  '2': ['╺━┓', '┏━┛', '┗━╸'],
  '3': ['╺━┓', '╺━┫', '╺━┛'],
  '4': ['╻ ╻', '┗━┫', '  ╹'],
  '5': ['┏━╸', '┗━┓', '╺━┛'],
  '6': ['┏━╸', '┣━┓', '┗━┛'],
  '7': ['╺━┓', '  ┃', '  ╹'],
  '8': ['┏━┓', '┣━┫', '┗━┛'],
  '9': ['┏━┓', '┗━┫', '╺━┛'],
  '.': [' ', ' ', '▪'],
}

/** A decimal number as three rows of equal width. @throws Error on a character that is in no number */
export function bigNumber(text: string): [string, string, string] {
  const glyphs = [...text].map(character => {
    const glyph = DIGITS[character]
    if (glyph === undefined) throw new Error(`there is no digit ${character}`)
    return glyph
  })
  const row = (i: 0 | 1 | 2) => glyphs.map(glyph => glyph[i]).join(' ')
  return [row(0), row(1), row(2)]
}
