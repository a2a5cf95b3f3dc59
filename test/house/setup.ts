import { join } from 'node:path'
import { buildPage } from '../../server/page-build.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What all test processes need, before they start side by side. */
export async function setup(): Promise<void> {
  // They and all that they start keep their modules compiled: compositors, threads and programs begin in a third of
  // the time.
  process.env.NODE_COMPILE_CACHE = join(ROOT, 'node_modules/.cache/tests')
  await buildPage(ROOT)
}
