import { ExtractionPool } from '../../health/shm/extract/extraction-pool.ts'
import { ImportResolver } from '../../health/shm/resolve/resolution.ts'
import { readPasConfig } from '../../health/shm/scan/pas-config.ts'
import { scanTree } from '../../health/shm/scan/scan-tree.ts'
import type { FileGraph } from './comparison.ts'

/** Who imports whom in a folder, tests too, by the parts that `pnpm shm` is made of: its report has numbers only. */
export async function ownGraph(root: string): Promise<FileGraph> {
  const config = await readPasConfig(root)
  const scanned = await scanTree(root, { tests: true, config })
  const pool = new ExtractionPool()
  try {
    const { extractions } = await pool.extract(root, scanned.files)
    const kept = scanned.files.flatMap((file, i) => {
      const extraction = extractions[i] ?? null
      return extraction === null || extraction.generated ? [] : [{ file, extraction }]
    })
    const tree = { ...scanned, files: kept.map(({ file }) => file) }
    const resolver = new ImportResolver(tree, { includeDirs: config?.include_dirs ?? [] })
    const { edges } = resolver.resolve(kept.map(({ extraction }) => extraction))
    const graph = new Map(tree.files.map(({ path }) => [path, new Set<string>()]))
    for (const { from, to } of edges) {
      const [importer, imported] = [tree.files[from]?.path, tree.files[to]?.path]
      if (importer === undefined || imported === undefined)
        throw new Error(`an import of file ${from}, ${to}`)
      if (importer !== imported) graph.get(importer)?.add(imported)
    }
    return graph
  } finally {
    await pool.stop()
  }
}
