import type * as sqlite from 'node:sqlite'
import { SCHEMA } from './schema.ts'

/** What leads records of one version to the next. */
export type Migration = (db: sqlite.DatabaseSync) => void

/** The step at index n leads from version n to n + 1; version 0 is an empty database. A step never changes again. */
export const MIGRATIONS: readonly Migration[] = [db => db.exec(SCHEMA)]
