import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stitch } from '../../../shaders/stitch.ts'
import { leanShader } from '../../../web/build/shader-text.ts'

const FOLDER = join(import.meta.dirname, '../../../shaders')
const SHADERS = readdirSync(FOLDER).filter(name => name.endsWith('.wgsl'))
const readShader = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

/** What a WGSL compiler makes of a text before it reads on: words, numbers and signs. Imports are lines. */
function tokensOf(text: string): string[] {
  const signs =
    /\/\/[^\n]*|#import [^\n]*|[A-Za-z_]\w*|\d[\w.]*(?:[eEpP][+-]?\d+)?|<<=?|>>=?|[-+*/%&|^=!<>]=|->|--|\+\+|&&|\|\||\S/g
  return [...text.matchAll(signs)].map(([token]) => token).filter(token => !token.startsWith('//'))
}

describe('the text of a shader in the built page', () => {
  it.each(SHADERS)('%s has the same tokens and no comment', name => {
    const [text, lean] = [readShader(name), leanShader(readShader(name))]
    expect(tokensOf(lean)).toEqual(tokensOf(text))
    expect(lean).not.toMatch(/\/\/|\/\*|^\s|\s$|\n\n|\t/m)
    expect(lean.length).toBeLessThan(text.length)
  })

  it('is stitched as the whole text is, its imports found', () => {
    for (const name of SHADERS) {
      const [whole, lean] = [stitch(name, readShader), stitch(name, other => leanShader(readShader(other)))]
      expect(tokensOf(lean.code)).toEqual(tokensOf(whole.code))
      const filesOf = ({ lines }: typeof whole) => [...new Set(lines.map(({ file }) => file))].sort()
      expect(filesOf(lean)).toEqual(filesOf(whole))
    }
  })

  it('leaves an import that is wrong for the stitching to name', () => {
    const read = () => leanShader('// head\n  #import  "b.wgsl" ;\n')
    expect(() => stitch('a.wgsl', read)).toThrow('a.wgsl:1: "#import "b.wgsl" ;" must be a line')
  })

  it('takes comments in comments for one, and keeps what they part', () => {
    expect(leanShader('a/* x /* y */ z */b\nc // d /* e\nf')).toBe('a b\nc\nf')
    expect(leanShader('let a = 1; /* one\ntwo */ let b = a - -1;')).toBe('let a = 1;let b = a - -1;')
    expect(leanShader('a /* never ends')).toBe('a')
  })

  it('joins no two tokens, and once lean is lean', () => {
    const piece = fc.constantFrom(
      'a',
      'fn',
      '1u',
      '(',
      ')',
      '{',
      ';',
      ',',
      '-',
      '-',
      '&',
      '<',
      '=',
      ' ',
      '  ',
      '\n',
      '/*x*/',
      '//y\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), pieces => {
        const text = pieces.join('')
        fc.pre(!text.includes('//*') && !text.includes('*//'))
        const lean = leanShader(text)
        expect(tokensOf(lean)).toEqual(tokensOf(text.replace(/\/\*x\*\//g, ' ')))
        expect(leanShader(lean)).toBe(lean)
      }),
    )
  })
})
