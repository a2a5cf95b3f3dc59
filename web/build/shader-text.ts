import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

const ASKED = /\.wgsl\?raw$/
/** Signs that stand for themselves, whatever is beside them: no space there tells anything. */
const AROUND_SIGNS = / ?([(){}[\],;]) ?/g

/** Gives the page the text of shaders without what only people read. */
export function shaderText(): Plugin {
  return {
    name: 'shader-text',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      if (!ASKED.test(id)) return null
      return `export default ${JSON.stringify(leanShader(readFileSync(id.replace('?raw', ''), 'utf8')))}`
    },
  }
}

/**
 * The text of a shader without comments, empty lines and needless spaces: the same tokens, and each line of it still a line,
 * so that an import stands alone in its own.
 *
 * @param text WGSL, in which a comment of several lines may hold others, and there are no strings
 */
export function leanShader(text: string): string {
  return withoutComments(text)
    .split('\n')
    .map(line => line.replace(/\s+/g, ' ').trim())
    .filter(line => line !== '')
    .map(line => (line.startsWith('#') ? line : line.replace(AROUND_SIGNS, '$1')))
    .join('\n')
}

function withoutComments(text: string): string {
  let left = ''
  for (let at = 0; at < text.length; ) {
    const two = text.slice(at, at + 2)
    if (two === '//') {
      const end = text.indexOf('\n', at)
      at = end === -1 ? text.length : end
    } else if (two === '/*') {
      at = endOfComment(text, at)
      left += ' '
    } else {
      left += text[at]
      at++
    }
  }
  return left
}

/** Where the comment that begins at `from` ends, with those in it. */
function endOfComment(text: string, from: number): number {
  const signs = /\/\*|\*\//g
  signs.lastIndex = from
  let depth = 0
  for (let sign = signs.exec(text); sign !== null; sign = signs.exec(text)) {
    depth += sign[0] === '/*' ? 1 : -1
    if (depth === 0) return signs.lastIndex
  }
  return text.length
}
