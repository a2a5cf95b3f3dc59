import type { ConfigKey } from './config-keys.ts'

/** A help text's two columns, and all of its width. */
const FLAG_COLUMN = 28
const HELP_WIDTH = 100

/** The lines of a help text, of at most 100 characters: one for each option, or more where one is too short. */
export function optionLines(keys: readonly ConfigKey[]): string[] {
  return keys.flatMap(({ flag, value, fallback, repeatable, meaning }) => {
    const notes = [fallback === '' ? '' : `default ${fallback}`, repeatable ? 'repeatable' : '']
    const note = notes.filter(Boolean).join(', ')
    const name = `  --${flag} ${value}`.trimEnd()
    const [first = '', ...more] = wrapped(`${meaning}${note ? ` (${note})` : ''}`, HELP_WIDTH - FLAG_COLUMN)
    const rest = more.map(line => ' '.repeat(FLAG_COLUMN) + line)
    // What is too long for its column has a line of its own.
    return name.length < FLAG_COLUMN
      ? [name.padEnd(FLAG_COLUMN) + first, ...rest]
      : [name, ' '.repeat(FLAG_COLUMN) + first, ...rest]
  })
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
