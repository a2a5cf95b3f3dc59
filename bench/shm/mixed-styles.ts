/** How the packages of a made-up tree look in each language. */
import { posix } from 'node:path'
import type { MixedKind } from './mixed-text.ts'
import type { PlannedFile, PlannedImport, PlannedKind, PlannedPackage } from './mixed-tree.ts'

/** A language, or a way to write in it. */
export interface MixedStyle {
  /** The folder of its packages; those of one family import each other. */
  family: 'js' | 'python' | 'rust' | 'go' | 'native'
  /** Of all packages. */
  share: number
  /** Imports within the package: at least, and fewer than. */
  imports: readonly [number, number]
  kinds: readonly PlannedKind[]
  hasCycles: boolean
  /** As imports and manifests have it. */
  nameOf(id: string): string
  /** Of a package's files, from its folder: lower layers first, the entry last. */
  paths(id: string, size: number, name: () => string): PlannedPath[]
  kindOf(file: PlannedFile): MixedKind
  /** Files that it imports in any case. */
  demanded(file: PlannedFile): readonly PlannedFile[]
  /** Whether it imports nothing but those. */
  isLeaf(file: PlannedFile): boolean
  mayImport(file: PlannedFile, other: PlannedFile): boolean
  /** Whether files of other packages import it. */
  isOpen(file: PlannedFile): boolean
  /** Where an import names a folder: all that it means. */
  folderOf?(file: PlannedFile): readonly PlannedFile[]
  /** @param i its place among the file's imports */
  statement(file: PlannedFile, found: PlannedImport, i: number): string
  /** The whole text of a file. */
  text(file: PlannedFile, imports: readonly string[], body: string): string
  manifests(one: PlannedPackage): Record<string, string>
  /** What binds the packages of a family together, by path from the root. */
  workspace(members: readonly PlannedPackage[]): Record<string, string>
}

export interface PlannedPath {
  path: string
  layer: number
}

export const LAYERS = ['base', 'model', 'store', 'rules', 'flow', 'view', 'edge'] as const

/** In how many layers so many files lie. */
export function layersFor(size: number): number {
  return Math.max(1, Math.min(LAYERS.length, Math.floor(size / 8)))
}

/** The layer of each file. */
export function layersOf(size: number, layers = layersFor(size)): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor((i * layers) / size))
}

/** In one package, of a file that comes before it. */
export function isBefore(file: PlannedFile, other: PlannedFile): boolean {
  return other.place < file.place
}

export function relativePath(file: PlannedFile, to: PlannedFile): string {
  const path = posix.relative(posix.dirname(file.path), to.path)
  return path.startsWith('.') ? path : `./${path}`
}

export function withoutEnding(path: string): string {
  return path.replace(/\.[^./]+$/, '')
}

/** Of a list the item for a file's import. */
export function turn<T>(list: readonly T[], file: PlannedFile, i: number): T {
  return list[(file.place + i) % list.length] as T
}

const OUTSIDE = ['node:fs/promises', 'node:path', 'lodash-es', '@outside/kit', 'rxjs']
const NONE: readonly PlannedFile[] = []

function script(
  share: number,
  kinds: MixedStyle['kinds'],
  endingOf: (i: number) => string,
  entry: string,
): MixedStyle {
  const style: MixedStyle = {
    family: 'js',
    share,
    imports: [2, 7],
    kinds,
    hasCycles: true,
    nameOf: id => `@mixed/${id}`,
    paths: (_, size, name) => [
      ...layersOf(size - 1).map((layer, i) => ({
        path: `src/${LAYERS[layer]}/${name().replaceAll('_', '-')}-${i}.${endingOf(i)}`,
        layer,
      })),
      { path: `src/${entry}`, layer: LAYERS.length },
    ],
    kindOf: ({ path }) => {
      if (path.endsWith('.cjs')) return 'commonjs'
      return path.endsWith('.js') ? 'javascript' : path.endsWith('.tsx') ? 'tsx' : 'typescript'
    },
    demanded: () => NONE,
    isLeaf: () => false,
    mayImport: isBefore,
    isOpen: () => true,
    statement(file, { kind, to }, i) {
      const name = to === null ? missing(file, kind, i) : specifier(file, to, i, kinds.includes('type'))
      if (kind === 'dynamic') return `export const load${i} = () => import('${name}')`
      if (kind === 'type')
        return turn(
          [`import type { Kind${i} } from '${name}'`, `export type { Kind${i} } from '${name}'`],
          file,
          i,
        )
      if (file.path.endsWith('.cjs')) return `const { part${i} } = require('${name}')`
      if (file === file.package.entry) return `export * from '${name}'`
      return turn(
        [
          `import { part${i} } from '${name}'`,
          `import * as all${i} from "${name}";`,
          `import {\n  part${i},\n  other as another${i}, // import x from './no.js'\n} from '${name}'`,
          `import only${i}, { type Kind${i}, part${i} } from '${name}'`,
        ].slice(0, kinds.includes('type') ? 4 : 3),
        file,
        i,
      )
    },
    text: (file, imports, body) =>
      `/* ${file.path}: written by a person, once. */\n${imports.join('\n')}\n\n${body}`,
    manifests: ({ name, entry: { path }, folder, needs }) => ({
      'package.json': json({
        name,
        version: '1.0.0',
        type: 'module',
        exports: { '.': `./${posix.relative(folder, path)}`, './*': './src/*' },
        dependencies: Object.fromEntries(needs.map(need => [need.name, 'workspace:*'])),
      }),
      ...(kinds.includes('type')
        ? { 'tsconfig.json': json({ compilerOptions: { strict: true, paths: { '~/*': ['./src/*'] } } }) }
        : {}),
    }),
    workspace: () => ({
      'package.json': json({ name: 'mixed', private: true, workspaces: ['js/*', 'native/*'] }),
    }),
  }
  return style
}

/** As people write it: with its ending, with that of what it is compiled to, without one, by an alias. */
function specifier(file: PlannedFile, to: PlannedFile, i: number, isTypeScript: boolean): string {
  const inPackage = posix.relative(`${to.package.folder}/src`, to.path)
  if (to.package !== file.package) {
    return to === to.package.entry ? to.package.name : `${to.package.name}/${inPackage}`
  }
  const path = relativePath(file, to)
  if (!isTypeScript) return path
  return turn(
    [path, withoutEnding(path), `${withoutEnding(path)}.js`, `~/${withoutEnding(inPackage)}`],
    file,
    i,
  )
}

function missing(file: PlannedFile, kind: PlannedKind, i: number): string {
  return kind === 'outside' ? turn(OUTSIDE, file, i) : `./missing-${i}.js`
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

export const TYPESCRIPT = script(0.5, ['type', 'dynamic'], i => (i % 6 === 5 ? 'tsx' : 'ts'), 'index.ts')
export const JAVASCRIPT = script(0.12, ['dynamic'], i => (i % 5 === 4 ? 'cjs' : 'js'), 'index.js')
