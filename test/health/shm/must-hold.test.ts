/** What must hold of every tree on a disk: what is beside its sources, and who reads them, changes nothing. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Assessor } from '../../../health/shm/assess.ts'
import { sayJson } from '../../../health/shm/say/json.ts'
import { codePoints } from '../../support/code-points.ts'
import { Program } from '../../support/program.ts'
import { Folder } from './scan/folder.ts'

/** What `--json` prints of a folder, but for the time it took. */
async function told(root: string): Promise<string> {
  const assessor = new Assessor(root)
  try {
    const report = await assessor.assess()
    return sayJson({
      title: '',
      report: { ...report, duration_ms: 0 },
      history: [],
      verdict: null,
      since: null,
    })
  } finally {
    await assessor.stop()
  }
}

/** A workspace in three languages whose imports name packages of its own, of others, and paths that a config maps. */
const PROJECT = {
  'package.json': '{"name": "all", "workspaces": ["packages/*"], "dependencies": {"left-pad": "1"}}',
  'tsconfig.json':
    '{"extends": "@tsconfig/node20/tsconfig.json", "compilerOptions": {"paths": {"~/*": ["./packages/core/src/*"]}}}',
  'packages/core/package.json':
    '{"name": "@all/core", "exports": {".": {"types": "./dist/index.d.ts", "import": "./dist/index.js"}}}',
  'packages/core/src/index.ts': "import 'left-pad'\nexport * from './deep.ts'\n",
  'packages/core/src/deep.ts': "import { x } from '@all/app'\nexport const y = x\n",
  'packages/app/package.json':
    '{"name": "@all/app", "main": "./src/main.ts", "dependencies": {"@all/core": "*"}}',
  'packages/app/src/main.ts':
    "import '@all/core'\nimport '~/deep.ts'\nimport 'react'\nimport './gone.ts'\nexport const x = 1\n",
  'tools/pyproject.toml': '[project]\nname = "tools"\ndependencies = ["requests"]\n',
  'tools/tools/__init__.py': 'import requests\nfrom . import run\n',
  'tools/tools/run.py': 'import tools\nimport yaml\n',
}

/** What installers and builds put beside it. */
const INSTALLED: Record<string, string> = {
  'node_modules/left-pad/package.json': '{"name": "left-pad", "main": "../../packages/app/src/main.ts"}',
  'node_modules/left-pad/index.js': "require('../../packages/app/src/main.ts')\n",
  'node_modules/@tsconfig/node20/tsconfig.json':
    '{"compilerOptions": {"paths": {"react": ["../../../packages/core/src/index.ts"]}}}',
  'node_modules/react/index.js': "require('left-pad')\n",
  'packages/app/node_modules/react/index.ts': "import '../../src/main.ts'\n",
  'packages/core/dist/index.js': "export * from './deep.js'\n",
  'packages/core/dist/index.d.ts': "export * from './deep.js'\n",
  'tools/venv/pyvenv.cfg': 'home = /usr/bin\n',
  'tools/venv/lib/python3.12/site-packages/requests/__init__.py': 'import tools.run\n',
  'tools/venv/lib/python3.12/site-packages/yaml.py': 'import tools\n',
  'tools/tools/__pycache__/run.py': 'import tools\n',
  'pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
  'package-lock.json': '{"lockfileVersion": 3, "packages": {}}',
}

describe('a tree has the same report', () => {
  it('whatever is installed or built in it', async () => {
    using bare = new Folder()
    const expected = await told(bare.write(PROJECT).path)
    expect(JSON.parse(expected).counts).toMatchObject({ files: 5, edges: 6, external: 4, unresolved: 1 })
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(Object.keys(INSTALLED), { minLength: 1 }),
        fc.boolean(),
        async (paths, isLinked) => {
          using folder = new Folder()
          folder.write(PROJECT)
          folder.write(Object.fromEntries(paths.map(path => [path, INSTALLED[path] as string])))
          if (isLinked) link(folder, 'node_modules/@all/core', '../../packages/core')
          expect(await told(folder.path)).toBe(expected)
        },
      ),
      { numRuns: 20, examples: [[Object.keys(INSTALLED), true]] },
    )
  })

  it('whatever text lies beside its sources', async () => {
    using bare = new Folder()
    const expected = await told(bare.write(PROJECT).path)
    const place = fc.constantFrom('', 'packages/core/', 'packages/core/src/', 'tools/', 'docs/deep/', 'zz/')
    const name = fc.constantFrom(
      'README.md',
      'notes.txt',
      'LICENSE',
      'data.csv',
      'style.css',
      'x.yaml',
      '.env',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.tuple(place, name).map(parts => parts.join('')),
          codePoints({ maxLength: 200 }),
          { minKeys: 1, maxKeys: 6, noNullPrototype: true },
        ),
        async texts => {
          using folder = new Folder()
          expect(await told(folder.write(PROJECT).write(texts).path)).toBe(expected)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('to the byte, however many threads read it', async () => {
    using folder = new Folder()
    // More files than one thread is left alone with, in several languages, with cycles, and some that are in the way.
    const files = Array.from({ length: 1600 }, (_, i): [string, string] => {
      const other = (i * 7 + 3) % 1600
      if (i % 4 === 0)
        return [`p${i % 5}/m${i}.py`, `import p${other % 5}.m${other}\nfrom . import m${i + 20}\n`]
      if (i % 97 === 0) return [`p${i % 5}/m${i}.ts`, `import './gone-${i}.ts'\nlet x = "\n`]
      return [`p${i % 5}/m${i}.ts`, `import '../p${other % 5}/m${other}.ts'\n`.repeat(1 + (i % 3))]
    })
    folder.write({ ...Object.fromEntries(files), 'p0/binary.ts': 'a\0b', 'p1/made.ts': '// @generated\n' })
    const outputs: string[] = []
    for (const threads of ['1', '2', '5']) {
      const program = new Program(['--json', '--threads', threads, folder.path], { program: 'shm.ts' })
      expect(await program.exited).toBe(0)
      outputs.push(program.stdout.replace(/"duration_ms":\d+/, '"duration_ms":0'))
    }
    const { counts, sccs, warnings } = JSON.parse(outputs[0] as string)
    expect(counts.files).toBe(1601)
    expect(sccs.length).toBeGreaterThan(0)
    expect(warnings.length).toBeGreaterThan(1)
    expect(outputs[1]).toBe(outputs[0])
    expect(outputs[2]).toBe(outputs[0])
  })
})

function link(folder: Folder, from: string, to: string): void {
  mkdirSync(dirname(join(folder.path, from)), { recursive: true })
  symlinkSync(to, join(folder.path, from))
}
