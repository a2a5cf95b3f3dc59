import { readToml, type TomlTable, type TomlValue, tableAt, textAt } from '../scan/toml.ts'

/** What a Cargo.toml says about modules. */
export interface CargoManifest {
  /** Null: a workspace without a package of its own. */
  name: string | null
  /** 2015 where none is given; 2018 stands for it and all later ones, whose paths are resolved alike. */
  edition: 2015 | 2018
  lib: { name: string | null; path: string | null }
  /** Paths that programs, examples, benches and tests are given. */
  targets: string[]
  /** Dependencies that the source calls otherwise than they are called, by what it calls them. */
  renamed: Map<string, string>
  /** Whether it declares a workspace. */
  isWorkspace: boolean
}

/** Reads a Cargo.toml; null: it is not TOML. */
export function readCargoManifest(text: string): CargoManifest | null {
  const table = readToml(text)
  if (table === null) return null
  const main = tableAt(table, 'package')
  const lib = tableAt(table, 'lib')
  const edition = main.get('edition')
  return {
    name: textAt(main, 'name'),
    // One that is inherited from a workspace is never the oldest in practice: inheriting came with 2021.
    edition: edition === undefined || edition === '2015' ? 2015 : 2018,
    lib: { name: textAt(lib, 'name'), path: textAt(lib, 'path') },
    targets: ['bin', 'example', 'test', 'bench']
      .flatMap(kind => tablesIn(table.get(kind)))
      .map(target => textAt(target, 'path'))
      .filter(path => path !== null),
    renamed: renamedIn(table),
    isWorkspace: table.has('workspace'),
  }
}

/** The name of a package as its source calls it. */
export function crateIdentifier(name: string): string {
  return name.replaceAll('-', '_')
}

function renamedIn(table: TomlTable): Map<string, string> {
  const renamed = new Map<string, string>()
  const targets = [...tableAt(table, 'target').values()].filter(isTable)
  for (const holder of [table, tableAt(table, 'workspace'), ...targets]) {
    for (const kind of ['dependencies', 'dev-dependencies', 'build-dependencies']) {
      for (const [alias, dependency] of tableAt(holder, kind)) {
        const name = isTable(dependency) ? textAt(dependency, 'package') : null
        if (name !== null) renamed.set(crateIdentifier(alias), crateIdentifier(name))
      }
    }
  }
  return renamed
}

function tablesIn(value: TomlValue | undefined): TomlTable[] {
  return Array.isArray(value) ? value.filter(isTable) : []
}

function isTable(value: TomlValue): value is TomlTable {
  return value instanceof Map
}
