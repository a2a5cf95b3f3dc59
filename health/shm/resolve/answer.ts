import type { Extraction } from '../imports.ts'

/**
 * What an import leads to: the index of a file, the indices of several (all files of a Go package), or one of the
 * negative numbers below.
 */
export type Answer = number | readonly number[]

/** Another package, the language itself, or a file outside of the tree. */
export const EXTERNAL = -1
/** It names something of the project, and there is no such file. */
export const UNRESOLVED = -2
/**
 * It leads to something of the project that is no source file (a style sheet, a declaration, a folder of modules), or
 * to what is left out of the tree.
 */
export const NO_SOURCE = -3

/** Resolves the imports of one language, or of several that share their rules. */
export interface LanguageResolver {
  /** @param specifier as the extractor of the language tells it (see `FoundImport`) */
  resolve(from: number, specifier: string): Answer
  /** Takes later extractions of the same files, which differ in nothing that imports of other files depend on. */
  update?(extractions: readonly (Extraction | null)[]): void
}
