/** What a scan asks of the file system. */
import { type Dirent, lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from 'node:fs'

/**
 * Every call blocks and throws what Node throws: a call of the asynchronous kind costs three to five times the processor
 * time, and a scan makes one for each file.
 */
export interface Disk {
  list(folder: string): Dirent[]
  /** Of the thing itself, never of what a link leads to. */
  facts(path: string): Stats
  read(path: string): string
  /** The path without links. */
  real(path: string): string
}

export const LOCAL_DISK: Disk = {
  list: folder => readdirSync(folder, { withFileTypes: true }),
  facts: path => lstatSync(path),
  read: path => readFileSync(path, 'utf8'),
  real: path => realpathSync.native(path),
}

/** The system's name of what went wrong (`ENOENT`), or an empty text. */
export function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? ''
}
