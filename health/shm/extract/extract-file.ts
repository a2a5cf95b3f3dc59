import { isUtf8 } from 'node:buffer'
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Extraction, FoundImport } from '../imports.ts'
import { HEAD_LENGTH, isGenerated } from '../scan/generated.ts'
import type { Language, SourceFile } from '../source-tree.ts'
import { extractC } from './c.ts'
import { extractGo } from './go.ts'
import { extractJavaScript } from './javascript.ts'
import { lineFeeds } from './line-feeds.ts'
import { extractPython } from './python.ts'
import { extractRust } from './rust.ts'

/** What is read of a file to find its imports, in bytes; no person writes more in one. */
export const LARGEST_SOURCE = 8 * 1024 * 1024

/** Where a NUL tells that a file is no text, in bytes. */
const BINARY_HEAD = 8192

/** A file that is replaced by a pipe meanwhile must not hold the reader up. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** Room for most files at once, in bytes. */
const FIRST_ROOM = 256 * 1024

/** Reads source files, one after another, into memory that it keeps and that grows as the files ask for. */
export class SourceReader {
  #memory = Buffer.allocUnsafeSlow(FIRST_ROOM)

  /**
   * Reads a file and finds what it imports. Of one that is larger than `LARGEST_SOURCE` the lines are counted and the content
   * is hashed, nothing more.
   * @param file its path from `root`, its language and how large it was last
   * @throws what the file system says: `ENOENT`, `EACCES`, `EISDIR`, …
   */
  extract(root: string, file: Pick<SourceFile, 'path' | 'language' | 'size'>): Extraction {
    const descriptor = openSync(join(root, file.path), READ)
    try {
      const length = this.#fill(descriptor, file.size)
      if (length > LARGEST_SOURCE) return this.#measureLarge(descriptor, length)
      return extractSource(file.path, file.language, this.#memory.subarray(0, length))
    } finally {
      closeSync(descriptor)
    }
  }

  /**
   * Reads until the file ends or is too large. Less than was asked for is the end, once there is all that was expected.
   * @returns how many bytes were read
   */
  #fill(descriptor: number, expected: number): number {
    let length = 0
    for (;;) {
      if (length === this.#memory.length) this.#grow(Math.max(length * 2, expected + 1))
      const asked = this.#memory.length - length
      const read = readSync(descriptor, this.#memory, length, asked, null)
      length += read
      if (read === 0 || length > LARGEST_SOURCE || (read < asked && length >= expected)) return length
    }
  }

  #grow(wanted: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(wanted, LARGEST_SOURCE + 1))
    this.#memory.copy(larger)
    this.#memory = larger
  }

  #measureLarge(descriptor: number, first: number): Extraction {
    const digest = createHash('sha256')
    const binary = isBinary(this.#memory)
    let bytes = 0
    let lines = 0
    for (
      let read = first;
      read > 0;
      read = readSync(descriptor, this.#memory, 0, this.#memory.length, null)
    ) {
      const part = this.#memory.subarray(0, read)
      digest.update(part)
      lines += lineFeeds(part)
      bytes += read
    }
    const said = `It is larger than 8 MiB (${bytes} bytes): its lines are counted, its imports are not read.`
    const trouble = binary ? BINARY : ({ code: 'TOO_LARGE', message: said } as const)
    return { imports: [], lines, hash: digest.digest('hex'), trouble, declares: [], generated: false }
  }
}

const BINARY = {
  code: 'BINARY_FILE',
  message: 'It holds a NUL among its first bytes: it is no text, and its imports are not read.',
} as const

const INVALID = {
  code: 'INVALID_UTF8',
  message: 'It is not UTF-8 throughout; bytes that are none were read as replacement characters.',
} as const

/** What the content of a source file tells; `path` serves to tell dialects apart only. */
export function extractSource(path: string, language: Language, bytes: Uint8Array): Extraction {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const told = { lines: lineFeeds(buffer), hash: hash('sha256', buffer, 'hex') }
  if (isBinary(buffer)) return { ...told, imports: [], trouble: BINARY, declares: [], generated: false }
  const text = buffer.toString('utf8')
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  const { imports, declares, brokenLine } = read(path, language, source)
  let trouble: Extraction['trouble'] = null
  if (brokenLine !== null) trouble = { code: 'SYNTAX_ERROR', message: brokenAt(brokenLine) }
  // Only where the replacement character is can there be something that it replaces.
  if (source.includes('\ufffd') && !isUtf8(buffer)) trouble = INVALID
  return { ...told, imports, trouble, declares, generated: isGenerated(source.slice(0, HEAD_LENGTH)) }
}

function brokenAt(line: number): string {
  return `From line ${line} on it could not be read as its language; imports may be missing.`
}

function read(
  path: string,
  language: Language,
  source: string,
): { imports: FoundImport[]; declares: string[]; brokenLine: number | null } {
  switch (language) {
    case 'javascript':
    case 'typescript':
      return extractJavaScript(source, path)
    case 'python':
      return { ...extractPython(source), brokenLine: null }
    case 'rust':
      return { ...extractRust(source), brokenLine: null }
    case 'go':
      return { ...extractGo(source), brokenLine: null }
    case 'c':
    case 'cpp':
      return { ...extractC(source), brokenLine: null }
  }
}

function isBinary(bytes: Uint8Array): boolean {
  const nul = bytes.indexOf(0)
  return nul !== -1 && nul < BINARY_HEAD
}
