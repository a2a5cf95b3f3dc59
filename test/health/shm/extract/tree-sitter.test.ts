/** What is found in Rust, Go, C and C++ against what the grammars of tree-sitter find: in awkward files, and in real ones of this machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { extractC } from '../../../../health/shm/extract/c.ts'
import { extractGo } from '../../../../health/shm/extract/go.ts'
import { extractRust } from '../../../../health/shm/extract/rust.ts'
import { rounds } from '../../../support/rounds.ts'
import { AWKWARD_C, AWKWARD_GO, AWKWARD_RUST } from './awkward-sources.ts'
import { told } from './told.ts'
import { cOracle, goOracle, Oracle, rustOracle } from './tree-sitter.ts'

/** What both find in a file; null: the grammar cannot read it. */
type Comparison = { ours: unknown; theirs: unknown; imports: number } | null

let oracle: Oracle

beforeAll(async () => {
  oracle = await Oracle.load()
})

function compareRust(source: string): Comparison {
  const theirs = oracle.read('rust', source, rustOracle)
  if (theirs === null) return null
  const found = extractRust(source)
  // The grammar does not look into macros, and what `#[path]` says is not asked of it.
  const isOutside = (one: string) => !theirs.macros.has(Number(one.slice(one.lastIndexOf(' '))))
  const plain = told(found).map(one =>
    one.replace(/^mod\?/, 'mod').replace(/^(mod\S* \S+) .* (\d+)$/, '$1 $2'),
  )
  const ours = [...new Set(plain)].filter(isOutside).sort()
  return {
    ours: [ours, theirs.macros.size > 0 ? null : found.declares],
    theirs: [theirs.told.filter(isOutside), theirs.macros.size > 0 ? null : theirs.declares],
    imports: ours.length,
  }
}

function compareGo(source: string): Comparison {
  const theirs = oracle.read('go', source, goOracle)
  if (theirs === null) return null
  const found = extractGo(source)
  // What a preamble of cgo includes is a comment to the grammar.
  const ours = told(found)
    .filter(one => !/^["<]/.test(one))
    .sort()
  return { ours: [ours, found.declares], theirs: [theirs.told, theirs.declares], imports: ours.length }
}

function compareC(source: string): Comparison {
  const theirs = oracle.read('cpp', source, cOracle)
  if (theirs === null) return null
  const ours = told(extractC(source)).sort()
  return { ours, theirs, imports: ours.length }
}

describe('awkward files', () => {
  it.each([
    ['Rust', compareRust, AWKWARD_RUST],
    ['Go', compareGo, AWKWARD_GO],
    ['C++', compareC, AWKWARD_C],
  ] as const)('of %s are read as by the grammar', (_, compare, sources) => {
    for (const source of sources) {
      const comparison = compare(source)
      expect(comparison, `tree-sitter cannot read ${source}`).not.toBeNull()
      expect(comparison?.ours).toEqual(comparison?.theirs)
      expect(comparison?.imports).toBeGreaterThan(0)
    }
  })
})

describe('real files', () => {
  const rust = rustFolders()
  const go = goFolders()
  const c = ['/usr/include', join(dirname(process.execPath), '../include')].filter(folder =>
    existsSync(folder),
  )

  it.skipIf(rust.length === 0)(
    'of Rust are read as by the grammar (rust-src or crates that cargo fetched)',
    async () => {
      await expectEqual(rust, '**/*.rs', compareRust)
    },
  )

  it.skipIf(go.length === 0)(
    'of Go are read as by the grammar (the standard library of an installed Go)',
    async () => {
      await expectEqual(go, '**/*.go', compareGo)
    },
  )

  it.skipIf(c.length === 0)('of C and C++ are read as by the grammar (headers of the system)', async () => {
    await expectEqual(c, '**/*.{h,hpp,c,cc,cpp}', compareC)
  })
})

/** Compares files spread evenly over all that there are, 2,000 in a long run. A file that the grammar cannot read counts for nothing. */
async function expectEqual(
  folders: string[],
  pattern: string,
  compare: (source: string) => Comparison,
): Promise<void> {
  const paths: string[] = []
  for (const folder of folders) {
    for await (const entry of glob(pattern, { cwd: folder, withFileTypes: true })) {
      if (entry.isFile()) paths.push(join(entry.parentPath, entry.name))
    }
  }
  paths.sort()
  const step = Math.max(1, paths.length / rounds(2000))
  const different: unknown[] = []
  let read = 0
  let imports = 0
  for (let at = 0; at < paths.length; at += step) {
    const path = paths[Math.floor(at)] as string
    const comparison = compare(readFileSync(path, 'utf8'))
    if (comparison === null) continue
    read++
    imports += comparison.imports
    if (JSON.stringify(comparison.ours) !== JSON.stringify(comparison.theirs))
      different.push({ path, ...comparison })
  }
  expect(different).toEqual([])
  expect([read, imports]).not.toContain(0)
}

function rustFolders(): string[] {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const sysroot = saidBy('rustc', ['--print', 'sysroot'])
  const folders = [join(cargo, 'registry/src'), join(sysroot, 'lib/rustlib/src')]
  return folders.filter(folder => existsSync(folder))
}

function goFolders(): string[] {
  const root = saidBy('go', ['env', 'GOROOT'])
  return root !== '' && existsSync(join(root, 'src')) ? [join(root, 'src')] : []
}

/** The first line that a program prints; empty where it is not there. */
function saidBy(program: string, words: string[]): string {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}
