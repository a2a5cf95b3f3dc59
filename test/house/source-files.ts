import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The files under `root` whose names end in one of `extensions`, as paths from `root` with `/`, sorted.
 * What git ignores is left out by its name: node_modules, dist and everything that begins with a dot.
 */
export async function sourceFiles(root: string, extensions: readonly string[]): Promise<string[]> {
  const found: string[] = []
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile() && extensions.some(extension => entry.name.endsWith(extension)))
        found.push(path)
    }
  }
  await walk('')
  return found.sort()
}
