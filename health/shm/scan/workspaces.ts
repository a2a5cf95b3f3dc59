/** The packages that the manifests of a tree tell. */
import { posix } from 'node:path'
import type { ScanWarning, WorkspacePackage } from '../source-tree.ts'
import { globOf } from './glob.ts'
import {
  type Manifest,
  type Members,
  readCargo,
  readGoMod,
  readGoWork,
  readPackageJson,
  readPnpmWorkspace,
  readPyproject,
  readSetupCfg,
  readSetupPy,
} from './manifests.ts'
import { byCodeUnit } from './order.ts'

type Kind = WorkspacePackage['kind']

const READERS: Readonly<Record<string, { kind: Kind; read: (text: string) => Manifest | null }>> = {
  'package.json': { kind: 'npm', read: readPackageJson },
  'pnpm-workspace.yaml': { kind: 'npm', read: readPnpmWorkspace },
  'Cargo.toml': { kind: 'cargo', read: readCargo },
  'go.mod': { kind: 'go', read: readGoMod },
  'go.work': { kind: 'go', read: readGoWork },
  // By folder the first that names the package counts.
  'pyproject.toml': { kind: 'python', read: readPyproject },
  'setup.cfg': { kind: 'python', read: readSetupCfg },
  'setup.py': { kind: 'python', read: readSetupPy },
}

/** All that the manifests of one kind in one folder say. */
interface Place {
  folder: string
  kind: Kind
  package: { name: string | null } | null
  workspaces: Members[]
  needs: string[]
  isMember: boolean
}

/**
 * The packages of a tree, by folder, then by kind: all that Cargo.toml, go.mod and the manifests of Python make; of npm
 * those that can be imported by name, which are the root and the members of workspaces. Members are marked as such: what
 * `packages` of pnpm-workspace.yaml, `workspaces` of package.json, `[workspace]` of Cargo.toml (with path dependencies, as Cargo has it),
 * `use` of go.work and `[tool.uv.workspace]` name, and the package in whose folder that stands.
 *
 * @param manifests paths from the root, sorted
 * @param read what a file holds; null if it cannot be had
 * @param warn told of manifests that cannot be understood
 */
export function packagesOf(
  manifests: readonly string[],
  read: (path: string) => string | null,
  warn: (warning: ScanWarning) => void,
): WorkspacePackage[] {
  const places = placesOf(manifests, read, warn)
  for (const kind of ['npm', 'cargo', 'go', 'python'] as const) {
    markMembers(
      places.filter(place => place.kind === kind),
      kind,
    )
  }
  return places
    .filter(place => place.package !== null)
    .filter(({ kind, folder, isMember }) => kind !== 'npm' || isMember || folder === '')
    .map(({ package: own, folder, kind, isMember }) => ({
      name: own?.name ?? null,
      folder,
      kind,
      ...(isMember ? { member: true as const } : {}),
    }))
    .sort((a, b) => byCodeUnit(a.folder, b.folder) || byCodeUnit(a.kind, b.kind))
}

function placesOf(
  manifests: readonly string[],
  read: (path: string) => string | null,
  warn: (warning: ScanWarning) => void,
): Place[] {
  const places = new Map<string, Place>()
  for (const path of manifests) {
    const reader = READERS[posix.basename(path)]
    const text = reader === undefined ? null : read(path)
    if (reader === undefined || text === null) continue
    const told = reader.read(text)
    if (told === null) {
      warn({
        code: 'SYNTAX_ERROR',
        path,
        message: `${path} is not what its name says; its package does not count.`,
      })
      continue
    }
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    const key = `${reader.kind} ${folder}`
    const place = places.get(key)
    if (place === undefined) {
      places.set(key, {
        folder,
        kind: reader.kind,
        package: told.package,
        workspaces: told.workspace === null ? [] : [told.workspace],
        needs: told.needs,
        isMember: false,
      })
    } else {
      if (place.package?.name == null) place.package = told.package ?? place.package
      if (told.workspace !== null) place.workspaces.push(told.workspace)
    }
  }
  return [...places.values()]
}

function markMembers(places: readonly Place[], kind: Kind): void {
  const byFolder = new Map(places.map(place => [place.folder, place]))
  for (const home of places) {
    for (const { in: wanted, out } of home.workspaces) {
      const isOut = folderTest(home.folder, out, kind)
      const isIn = folderTest(home.folder, wanted, kind)
      home.isMember = true
      const members = [home, ...places.filter(({ folder }) => isIn(folder) && !isOut(folder))]
      for (const place of members) place.isMember = true
      // What a member of Cargo's depends on by a path below the workspace is a member, too.
      for (const place of members) {
        for (const need of place.needs) {
          const folder = fromRoot(place.folder, need)
          const other = folder === null ? undefined : byFolder.get(folder)
          if (other === undefined || other.isMember || !isBelow(other.folder, home.folder)) continue
          if (isOut(other.folder)) continue
          other.isMember = true
          members.push(other)
        }
      }
    }
  }
}

/** Whether a folder is one that globs from `home` mean. */
function folderTest(home: string, globs: readonly string[], kind: Kind): (folder: string) => boolean {
  const folders = new Set(globs.map(glob => fromRoot(home, glob)))
  // As package managers do, it is the manifest that is looked for: `a/**` means `a`, too.
  const file = kind === 'cargo' ? 'Cargo.toml' : 'package.json'
  const tests = kind === 'go' ? [] : globs.map(glob => globOf(posix.join(glob, file)))
  return folder => {
    if (folders.has(folder)) return true
    if (!isBelow(folder, home)) return false
    const path = posix.join(home === '' ? folder : folder.slice(home.length + 1), file)
    return tests.some(test => test(path))
  }
}

/** A path from a folder as one from the root, without a slash at its end; null: it leads out. */
function fromRoot(folder: string, path: string): string | null {
  const joined = posix.join(folder, path)
  if (joined === '..' || joined.startsWith('../') || joined.startsWith('/')) return null
  return joined === '.' ? '' : joined.replace(/^\.\/|\/$/g, '')
}

function isBelow(folder: string, home: string): boolean {
  return home === '' || folder === home || folder.startsWith(`${home}/`)
}
