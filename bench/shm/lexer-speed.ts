import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { init, parse } from 'es-module-lexer'

const ROUNDS = 5

/**
 * How fast es-module-lexer alone reads these files, which are in memory already, on one thread: what the machine is worth, and the
 * bound of whatever reads them with it. MB/s, one of each round.
 */
export async function lexerSpeed(root: string, paths: readonly string[]): Promise<number[]> {
  await init
  const texts = paths.map(path => readFileSync(join(root, path), 'utf8'))
  const megabytes = texts.reduce((sum, text) => sum + text.length, 0) / 1e6
  return Array.from({ length: ROUNDS }, () => {
    const begun = performance.now()
    for (const text of texts) parse(text)
    return (megabytes * 1000) / (performance.now() - begun)
  })
}
