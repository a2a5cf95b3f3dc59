import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { extractPython } from '../../../../health/shm/extract/python.ts'
import { rounds } from '../../../support/rounds.ts'

/** Where the standard library is; null: there is no Python 3. */
const LIBRARY =
  python(['-c', 'import ast, sysconfig; print(sysconfig.get_path("stdlib"))'], '')?.trim() ?? null

describe.skipIf(LIBRARY === null)('extractPython beside Python itself (skipped without python3)', () => {
  it('finds the same in files of the standard library', () => {
    const files = readdirSync(LIBRARY as string, { withFileTypes: true, recursive: true })
      .filter(entry => entry.isFile() && entry.name.endsWith('.py'))
      .map(entry => join(entry.parentPath, entry.name))
      .filter(file => !/\/(site-packages|dist-packages|idlelib|lib2to3)\//.test(file))
      // Half of it is tests, of which the ones of the language itself are the most awkward.
      .filter(file => !file.includes('/test/') || /\/test_(f|gr|im|str|syn|type|un)\w*\.py$/.test(file))
    expect(files.length).toBeGreaterThan(100)
    const some = files.slice(0, rounds(files.length, 6))
    const { compared, different } = compare(some)
    expect(different).toEqual([])
    expect(compared).toBeGreaterThan(some.length * 0.9)
  })

  it('finds the same where only type checkers look', () => {
    const folder = mkdtempSync(join(tmpdir(), 'extract-python-'))
    try {
      const files = TYPED.map((source, i) => {
        const path = join(folder, `typed_${i}.py`)
        writeFileSync(path, source)
        return path
      })
      expect(compare(files)).toEqual({ compared: files.length, different: [] })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

const TYPED = [
  'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b\n\n    import c\nimport d\n',
  'import typing as t\nif t.TYPE_CHECKING: import a; import b\nimport c\n',
  'if not TYPE_CHECKING:\n  import a\nelse:\n  import b\nimport c\n',
  'if TYPE_CHECKING:\n  import a\nelse:\n  import b\n',
  'if x:\n  import a\nelif TYPE_CHECKING:\n  import b\nelif y:\n  import c\nelse:\n  import d\n',
  'if not TYPE_CHECKING:\n  import a\nelif y:\n  import b\nelse:\n  import c\n',
  'class A:\n\tif TYPE_CHECKING:\n\t\tfor b in c:\n\t\t\timport b\n\t\tdef d(): import d\n\timport e\n',
  'if (TYPE_CHECKING):\n  import a\nif TYPE_CHECKING and x:\n  import b\nif TYPE_CHECKING_OFF:\n  import c\n',
  'if TYPE_CHECKING:\n  x = """\nimport no\n"""\n# comment\n  import a\n  y = [\n1]\n  import b\nimport c\n',
  'if TYPE_CHECKING:\n  importlib.import_module("a")\nimportlib.import_module("b")\n',
]

function compare(files: readonly string[]): { compared: number; different: string[] } {
  const script = fileURLToPath(new URL('ast-imports.py', import.meta.url))
  const told = JSON.parse(python([script], files.join('\n')) ?? 'null')
  let compared = 0
  const different: string[] = []
  for (const file of files) {
    const truth: [kind: string, line: number, specifier: string][] | null = told[file]
    if (truth === null) continue
    compared += 1
    const { imports } = extractPython(readFileSync(file, 'utf8').replace(/^\ufeff/, ''))
    const mine = new Set(imports.map(({ kind, line, specifier }) => `${kind} ${line} ${specifier}`))
    const theirs = new Set(truth.map(one => one.join(' ')))
    const missing = [...theirs].filter(one => !mine.has(one))
    const invented = [...mine].filter(one => !theirs.has(one))
    if (missing.length + invented.length > 0)
      different.push(`${file}: missing ${missing}; invented ${invented}`)
  }
  return { compared, different }
}

function python(args: string[], input: string): string | null {
  const { status, stdout } = spawnSync('python3', args, { input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  return status === 0 ? stdout : null
}
