/** Trees as folders to be read. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { MixedTree } from './mixed-tree.ts'

/** Writes a made-up tree into an empty folder. */
export function writeTree(tree: MixedTree, root: string): void {
  const made = new Set<string>()
  for (const [path, text] of tree.contents()) {
    const full = join(root, path)
    const folder = dirname(full)
    if (!made.has(folder)) {
      mkdirSync(folder, { recursive: true })
      made.add(folder)
    }
    writeFileSync(full, text)
  }
}
