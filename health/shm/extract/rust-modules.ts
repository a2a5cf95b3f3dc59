import type { Attribute } from './rust-attributes.ts'

/** A module that is written inside a file: `mod a { … }`. */
export interface InlineModule {
  /** From the file's own module: `a::b`. */
  path: string
  /** Where the files of its child modules lie, from the folder below. */
  folder: string
  /** Whether that is from the file's own folder, since a `#[path]` says so; else from where the files of its child modules lie. */
  fromFile: boolean
  /** Whether the folder has the names of the modules alone, no `#[path]`. */
  isUsual: boolean
}

/** A module in the file, or in a module of it. */
export function inlineModule(
  inside: InlineModule | null,
  name: string,
  attributes: readonly Attribute[],
): InlineModule {
  const path = pathOf(attributes)
  return {
    path: inside === null ? name : `${inside.path}::${name}`,
    folder: joined(inside?.folder ?? '', path ?? name),
    fromFile: inside === null ? path !== null : inside.fromFile,
    isUsual: path === null && (inside?.isUsual ?? true),
  }
}

/**
 * How `FoundImport` writes a module in a file of its own, once for each file that it may be (The Rust Reference, "The path attribute").
 */
export function modSpecifiers(
  inside: InlineModule | null,
  name: string,
  attributes: readonly Attribute[],
): string[] {
  const choices = attributes.flatMap(({ choice }) => (choice === null ? [] : [choice]))
  const word = choices.length === 0 ? 'mod' : 'mod?'
  return [pathOf(attributes), ...choices].map(path => modSpecifier(inside, name, path, word))
}

function modSpecifier(inside: InlineModule | null, name: string, path: string | null, word: string): string {
  if (inside === null) return path === null ? `${word} ${name}` : `${word} ${name} = ${path}`
  const start = `${word}@${inside.path} ${name}`
  if (path !== null) return `${start} ${inside.fromFile ? '=' : '~'} ${joined(inside.folder, path)}`
  if (inside.fromFile) return `${start} in ${inside.folder}`
  // A `#[path]` on a module in a module: of the two files that it may be the usual one.
  return inside.isUsual ? start : `${start} ~ ${inside.folder}/${name}.rs`
}

function pathOf(attributes: readonly Attribute[]): string | null {
  return attributes.find(({ path }) => path !== null)?.path ?? null
}

function joined(folder: string, path: string): string {
  return folder === '' || path.startsWith('/') ? path : `${folder}/${path}`
}
