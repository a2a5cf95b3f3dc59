/** Source trees that people wrote, as folders of their own: packages that this project has installed, and itself. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const SOURCE = /\.[cm]?[jt]sx?$/
const DECLARATIONS = /\.d\.[cm]?ts$/
/** What lies beside sources and is none of the package's own. */
const FOREIGN = new Set(['node_modules', 'dist', '_vendor'])

/** Packages that come with their sources, each by the one that needs it. */
const PACKAGES = [
  ['openai', null],
  ['ai', null],
  ['@ai-sdk/openai-compatible', null],
  ['@ai-sdk/gateway', 'ai'],
  ['@ai-sdk/provider', 'ai'],
  ['@ai-sdk/provider-utils', 'ai'],
  ['zod', '@ai-sdk/provider-utils'],
] as const

/** Groups of the packages' folders, which are compared one by one. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  openai: ['openai'],
  'ai and @ai-sdk': ['ai', 'openai-compatible', 'gateway', 'provider', 'provider-utils'],
  zod: ['zod'],
}

/**
 * Copies the packages' sources into an empty folder, one folder each, with a tsconfig.json by whose `paths` they import each
 * other, and what madge is told: that imports of types are none.
 */
export function copyPackages(root: string): void {
  const folders = new Map<string, string>()
  const paths: Record<string, string[]> = {}
  for (const [name, needer] of PACKAGES) {
    const needed = needer === null ? ROOT : folders.get(needer)
    const from = folderOf(name, needed as string)
    folders.set(name, from)
    const folder = name.slice(name.indexOf('/') + 1)
    copySources(join(from, 'src'), join(root, folder, 'src'))
    cpSync(join(from, 'package.json'), join(root, folder, 'package.json'))
    paths[name] = [`./${folder}/src/index.ts`]
    paths[`${name}/*`] = [`./${folder}/src/*`]
  }
  writeFileSync(
    join(root, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'ESNext',
        moduleResolution: 'Bundler',
        target: 'ESNext',
        allowImportingTsExtensions: true,
        noEmit: true,
        paths,
      },
    }),
  )
  const types = { skipTypeImports: true }
  writeFileSync(join(root, '.madgerc'), JSON.stringify({ detectiveOptions: { ts: types, tsx: types } }))
}

/** Copies this project's sources into an empty folder. */
export function copyProject(root: string): void {
  copySources(ROOT, root)
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(root, name))
}

/** The folder of an installed package, as another one finds it. */
function folderOf(name: string, from: string): string {
  let folder = dirname(createRequire(join(from, 'package.json')).resolve(name))
  while (!readdirSync(folder).includes('package.json') || !readdirSync(folder).includes('src'))
    folder = dirname(folder)
  return folder
}

/** Copies scripts, without declarations, which hold no code. */
function copySources(from: string, to: string): void {
  const files = readdirSync(from, { withFileTypes: true })
  for (const file of files) {
    const { name } = file
    if (name.startsWith('.') || FOREIGN.has(name)) continue
    if (file.isDirectory()) copySources(join(from, name), join(to, name))
    else if (file.isFile() && SOURCE.test(name) && !DECLARATIONS.test(name)) {
      mkdirSync(to, { recursive: true })
      cpSync(join(from, name), join(to, name))
    }
  }
}
