import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Files whose tests run one after the other in one process, which keeps what the last one loaded: to start a process for each of
 * all files takes as long as a quarter of the tests.
 */
const MAY_BE_TOGETHER = [
  'test/{bridge,broadcast,config,events,server,store}/**/*.test.ts',
  'test/compositor/{draw,frame,layout,tokens,view}/*.test.ts',
  'test/health/{*,shm/*,shm/{extract,graph,resolve,say,scan,score}/*}.test.ts',
  'test/web/**/!(*.browser).test.ts',
]
/** What tells that a file's tests change their process, or look at what else is in it: it has one of its own. */
const ALONE =
  /\bvi\.(useFakeTimers|spyOn|stubGlobal)|\bprocess\.|\bglobalThis\b|\/(gpu|hub-meter|sim-clock|soak-hub)\.ts'/

/** The test files that need no process of their own, from the root of the project. */
export function filesTogether(): string[] {
  return globSync(MAY_BE_TOGETHER, { cwd: ROOT }).filter(
    path => !ALONE.test(readFileSync(join(ROOT, path), 'utf8')),
  )
}
