/** As the thread of a `StructureMonitor`, which a file in the tree ends: `ends`, each time; `ends-once`, with the first scan. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'

const { root } = workerData as { root: string }
const once = join(root, 'ends-once')
if (existsSync(join(root, 'ends'))) process.exit(3)
if (existsSync(once)) {
  rmSync(once)
  throw new Error('a defect')
}
await import('../../../../health/shm/monitor/monitor-thread.ts')
