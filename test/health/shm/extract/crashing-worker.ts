import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { extractBatch as extract } from '../../../../health/shm/extract/extract-worker.ts'
import type { PackedExtractions, PackedFiles } from '../../../../health/shm/extract/packed-extractions.ts'

/** As the thread of an `ExtractionPool`, which files end by their names: each time, or once (a mark beside the file tells). */
export function extractBatch(batch: PackedFiles): PackedExtractions {
  const paths = batch.paths.split('\0')
  if (paths.some(path => path.includes('exits'))) process.exit(3)
  if (paths.some(path => path.includes('throws'))) throw new Error('a defect')
  if (paths.some(path => path.includes('swells'))) swell()
  for (const path of paths.filter(one => one.includes('once'))) {
    const mark = join(batch.root, `${path}.mark`)
    if (existsSync(mark)) continue
    writeFileSync(mark, '')
    process.exit(4)
  }
  return extract(batch)
}

function swell(): never {
  const kept: number[][] = []
  for (;;) kept.push(new Array<number>(100_000).fill(kept.length))
}
