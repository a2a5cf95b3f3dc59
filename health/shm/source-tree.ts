/** What is scored: the source files of a folder, and the parts that they make up. */

export const LANGUAGES = ['javascript', 'typescript', 'python', 'rust', 'go', 'c', 'cpp'] as const

export type Language = (typeof LANGUAGES)[number]

/** A source file of the project. */
export interface SourceFile {
  /** From the folder that is scored, with `/`. */
  path: string
  language: Language
  /** Bytes. */
  size: number
  /** When its content last changed by the file system, in milliseconds. */
  changedMs: number
}

/** Something that did not go as it should; the scan went on without it. */
export interface ScanWarning {
  code:
    | 'UNREADABLE_FOLDER'
    | 'UNREADABLE_FILE'
    | 'VANISHED_FILE'
    | 'TOO_DEEP'
    | 'TOO_LARGE'
    | 'BINARY_FILE'
    | 'INVALID_UTF8'
    | 'SYNTAX_ERROR'
    | 'WORKER_CRASHED'
    | 'LINK_LOOP'
    | 'NO_GIT'
    | 'SHALLOW_CLONE'
    | 'NO_HISTORY'
    | 'NO_SOURCES'
    | 'EMPTY_SUBSYSTEM'
  /** From the folder that is scored, with `/`; null where it is about all of it. */
  path: string | null
  /** A sentence. */
  message: string
}

/** A part of the project, as it is declared or as the folders tell. */
export interface Subsystem {
  name: string
  /** Indices of its files, ascending. */
  files: number[]
}

/** How files were put into parts. */
export interface Partition {
  by: 'declared' | 'workspaces' | 'folders'
  /** By name, ascending; none is empty. */
  subsystems: Subsystem[]
  /** Of each file the index of its subsystem. */
  of: Int32Array
}

/** The files of a folder. */
export interface SourceTree {
  /** The folder that is scored, absolute. */
  root: string
  /** By path, ascending by code unit: where scores depend on an order it is this one. */
  files: SourceFile[]
  /** Packages of workspaces, by folder from the root (`''`: the root itself); empty where there are none. */
  packages: WorkspacePackage[]
  warnings: ScanWarning[]
}

/** A package of a workspace (pnpm, npm, yarn, Cargo, Go, Python). */
export interface WorkspacePackage {
  /** As others import it; null where it has none. */
  name: string | null
  /** From the root, with `/`; `''` is the root. */
  folder: string
  kind: 'npm' | 'cargo' | 'go' | 'python'
  /** A workspace names it: such packages are the parts of a tree; others only are imported by name. */
  member?: true
}
