import { join } from 'node:path'
import { buildPage } from '../../server/page-build.ts'

/** Builds the page once, before the test processes that serve it start side by side. */
export async function setup(): Promise<void> {
  await buildPage(join(import.meta.dirname, '../..'))
}
