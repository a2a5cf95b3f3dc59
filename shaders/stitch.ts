/**
 * Puts a shader together from its modules: a line `#import hilbert.wgsl` stands for the text of that file, at
 * its first mention; later ones are left out. WGSL has no order of declarations, so modules may import each
 * other. Runs in Node and in the page, which differ only in how a file is read.
 */

/** Gives the text of a file of this folder; throws if there is none of this name. */
export type ReadShader = (name: string) => string

/** A place in a shader's source. */
export interface ShaderLine {
  /** File name, as `hilbert.wgsl`. */
  file: string
  /** From 1. */
  line: number
}

/** A shader as the GPU's compiler gets it. */
export interface StitchedShader {
  /** File name of the shader itself, as `map.wgsl`. */
  readonly name: string
  /** The whole text, its imports in it. */
  readonly code: string
  /** Where each line of `code` comes from, the first at 0. */
  readonly lines: readonly ShaderLine[]
}

const IMPORT = /^\s*#import\b/
const IMPORT_LINE = /^#import ([a-z0-9-]+\.wgsl)$/

/**
 * Stitches the shader `name`.
 *
 * @throws Error naming file and line where an import is not `#import name.wgsl` or names no file
 */
export function stitch(name: string, read: ReadShader): StitchedShader {
  const code: string[] = []
  const lines: ShaderLine[] = []
  const seen = new Set<string>()

  function add(file: string, text: string): void {
    seen.add(file)
    for (const [index, source] of text.trimEnd().split('\n').entries()) {
      const at = { file, line: index + 1 }
      if (!IMPORT.test(source)) {
        code.push(source)
        lines.push(at)
        continue
      }
      const imported = IMPORT_LINE.exec(source)?.[1]
      if (imported === undefined) {
        throw new Error(`${file}:${at.line}: "${source.trim()}" must be a line "#import name.wgsl"`)
      }
      if (!seen.has(imported)) add(imported, readImported(imported, at))
    }
  }

  function readImported(imported: string, { file, line }: ShaderLine): string {
    try {
      return read(imported)
    } catch (cause) {
      throw new Error(`${file}:${line}: there is no shader ${imported}`, { cause })
    }
  }

  add(name, read(name))
  return { name, code: `${code.join('\n')}\n`, lines }
}

/** A compiler's message about a line (from 1) of the stitched text, told of the file that it stands in. */
export function tellMessage(shader: StitchedShader, message: { lineNum: number; message: string }): string {
  const at = shader.lines[message.lineNum - 1]
  return `${at === undefined ? shader.name : `${at.file}:${at.line}`}: ${message.message}`
}
