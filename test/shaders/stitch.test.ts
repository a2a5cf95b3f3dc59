import { describe, expect, it } from 'vitest'
import { type ReadShader, stitch } from '../../shaders/stitch.ts'

/** Reads shaders from `files`, and notes which. */
function reader(files: Record<string, string>): { read: ReadShader; asked: string[] } {
  const asked: string[] = []
  const read = (name: string) => {
    asked.push(name)
    const text = files[name]
    if (text === undefined) throw new Error('ENOENT')
    return text
  }
  return { read, asked }
}

describe('stitch', () => {
  it('puts a file in the place of its import', () => {
    const { read } = reader({ 'a.wgsl': 'one\n#import b.wgsl\ntwo\n', 'b.wgsl': 'bee\n' })
    expect(stitch('a.wgsl', read)).toEqual({
      name: 'a.wgsl',
      code: 'one\nbee\ntwo\n',
      lines: [
        { file: 'a.wgsl', line: 1 },
        { file: 'b.wgsl', line: 1 },
        { file: 'a.wgsl', line: 3 },
      ],
    })
  })

  it('takes in a file once, however often it is imported', () => {
    const { read, asked } = reader({
      'a.wgsl': '#import b.wgsl\n#import c.wgsl\n#import b.wgsl\na',
      'b.wgsl': '#import c.wgsl\nb',
      'c.wgsl': 'c',
    })
    expect(stitch('a.wgsl', read).code).toBe('c\nb\na\n')
    expect(asked).toEqual(['a.wgsl', 'b.wgsl', 'c.wgsl'])
  })

  it('ends where files import each other, or themselves', () => {
    const { read } = reader({
      'a.wgsl': '#import b.wgsl\na',
      'b.wgsl': '#import a.wgsl\n#import b.wgsl\nb',
    })
    expect(stitch('a.wgsl', read).code).toBe('b\na\n')
    expect(stitch('b.wgsl', read).code).toBe('a\nb\n')
  })

  it('names file and line of an import of a file that is not there', () => {
    const { read } = reader({ 'a.wgsl': '#import b.wgsl', 'b.wgsl': 'bee\n\n#import gone.wgsl' })
    expect(() => stitch('a.wgsl', read)).toThrow('b.wgsl:3: there is no shader gone.wgsl')
  })

  it.each(['#import', '#import "b.wgsl"', '#import b.wgsl // why', '#import ../b.wgsl', '  #import b.wgsl;'])(
    'names file and line of the bad import %j',
    line => {
      const { read } = reader({ 'a.wgsl': `one\n${line}` })
      expect(() => stitch('a.wgsl', read)).toThrow(
        `a.wgsl:2: "${line.trim()}" must be a line "#import name.wgsl"`,
      )
    },
  )
})
