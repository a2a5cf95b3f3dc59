import type { Extraction, FoundImport, ImportKind } from '../imports.ts'
import { LANGUAGES, type ScanWarning, type SourceFile } from '../source-tree.ts'

/** Files of a folder, as they are sent to a thread. */
export interface PackedFiles {
  root: string
  /** Separated by NUL, which no path holds. */
  paths: string
  /** Indices into `LANGUAGES`. */
  languages: Uint8Array
  sizes: Float64Array
}

/** What was extracted, as it is sent back: few large values, since each object costs. */
export interface PackedExtractions {
  /** Of each file its hash, its specifiers and what it declares, one behind the other. */
  text: string
  /** Of each file four numbers: state, lines, imports, declarations; then two of each import, one of each declaration. */
  numbers: Uint32Array
  /** What is to be said, by the index of the file. */
  notes: { file: number; code: ScanWarning['code']; message: string }[]
}

/** What is known of a file after it was read; with null it could not be, and the note says why. */
export interface Extracted {
  extraction: Extraction | null
  note: { code: ScanWarning['code']; message: string } | null
}

const KINDS: readonly ImportKind[] = ['static', 'dynamic', 'type']
const UNREAD = 0
const READ = 1
const GENERATED = 2
const HASH_LENGTH = 64

/** Puts files together for a thread. */
export function packFiles(root: string, files: readonly SourceFile[]): PackedFiles {
  return {
    root,
    paths: files.map(({ path }) => path).join('\0'),
    languages: Uint8Array.from(files, ({ language }) => LANGUAGES.indexOf(language)),
    sizes: Float64Array.from(files, ({ size }) => size),
  }
}

/** The files of `packFiles`, each with what it takes to read it. */
export function unpackFiles({ paths, languages, sizes }: PackedFiles): Omit<SourceFile, 'changedMs'>[] {
  if (languages.length === 0) return []
  return paths.split('\0').map((path, i) => ({
    path,
    language: LANGUAGES[languages[i] as number] as SourceFile['language'],
    size: sizes[i] as number,
  }))
}

/** Puts what was extracted together to be sent. */
export function packExtractions(extracted: readonly Extracted[]): PackedExtractions {
  const numbers: number[] = []
  const notes: PackedExtractions['notes'] = []
  let text = ''
  for (const [file, { extraction, note }] of extracted.entries()) {
    if (note) notes.push({ file, ...note })
    if (!extraction) {
      numbers.push(UNREAD, 0, 0, 0)
      continue
    }
    const { generated, lines, imports, declares, hash } = extraction
    numbers.push(generated ? GENERATED : READ, lines, imports.length, declares.length)
    text += hash
    for (const { specifier, line, kind } of imports) {
      numbers.push(specifier.length, line * KINDS.length + KINDS.indexOf(kind))
      text += specifier
    }
    for (const name of declares) {
      numbers.push(name.length)
      text += name
    }
  }
  return { text, numbers: Uint32Array.from(numbers), notes }
}

/**
 * What `packExtractions` was given, file by file. Its strings hold on to the packed text, and so to none of the sources that
 * they were cut from.
 */
export function unpackExtractions({ text, numbers, notes }: PackedExtractions): Extracted[] {
  const noteOf = new Map(notes.map(({ file, code, message }) => [file, { code, message }]))
  const extracted: Extracted[] = []
  let at = 0
  let start = 0
  const next = () => numbers[at++] as number
  const cut = (length: number) => {
    start += length
    return text.slice(start - length, start)
  }
  while (at < numbers.length) {
    const note = noteOf.get(extracted.length) ?? null
    const state = next()
    const lines = next()
    const importCount = next()
    const declareCount = next()
    if (state === UNREAD) {
      extracted.push({ extraction: null, note })
      continue
    }
    const hash = cut(HASH_LENGTH)
    const imports: FoundImport[] = []
    for (let i = 0; i < importCount; i++) {
      const specifier = cut(next())
      const place = next()
      const kind = KINDS[place % KINDS.length] as ImportKind
      imports.push({ specifier, line: Math.floor(place / KINDS.length), kind })
    }
    const declares: string[] = []
    for (let i = 0; i < declareCount; i++) declares.push(cut(next()))
    const trouble = note as Extraction['trouble']
    extracted.push({
      extraction: { imports, lines, hash, trouble, declares, generated: state === GENERATED },
      note,
    })
  }
  return extracted
}
