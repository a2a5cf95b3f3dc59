/**
 * Loaded before a program (`node --import`): Node keeps its modules as it has compiled them, TypeScript stripped, so that the next
 * start takes half the time, and so does each of its threads and processes: they find the folder in the environment.
 * Where it cannot be kept they do without. It is JavaScript, since to strip this one Node would load what the others then do not need.
 */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../node_modules/.cache/tokenscope')
enableCompileCache(folder)
process.env.NODE_COMPILE_CACHE ??= folder
