/**
 * Loaded before a program (`node --import`): Node keeps its modules as it has compiled them, TypeScript stripped, so
 * that the next start takes half the time. Where that cannot be kept it does without.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/tokenscope'))
