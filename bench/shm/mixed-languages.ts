/** The styles of a made-up tree's packages, all of them. */
import { posix } from 'node:path'
import {
  isBefore,
  JAVASCRIPT,
  json,
  LAYERS,
  layersFor,
  layersOf,
  type MixedStyle,
  type PlannedPath,
  TYPESCRIPT,
  turn,
  withoutEnding,
} from './mixed-styles.ts'
import type { PlannedFile } from './mixed-tree.ts'

const OUTSIDE_PYTHON = ['os', 'json', 'dataclasses', 'numpy', 'requests']
const OUTSIDE_RUST = ['std::collections::HashMap', 'std::fmt::Write', 'serde::Serialize', 'tokio::sync::mpsc']
const OUTSIDE_GO = ['fmt', 'strings', 'net/http', 'github.com/outside/kit']
const OUTSIDE_C = ['stdio.h', 'string.h', 'stdint.h', 'stdlib.h']
const GO_FOLDER = 6
const NONE: readonly PlannedFile[] = []

/** Files of layers, each layer with one more at its end, and the entry. */
function withLayerFiles(
  size: number,
  file: (layer: number, i: number) => string,
  last: string,
  entry: string,
) {
  const all: PlannedPath[] = []
  const count = layersFor(size)
  const layers = layersOf(size - 1 - count, count)
  for (const [i, layer] of layers.entries()) {
    all.push({ path: file(layer, i), layer })
    if (layers[i + 1] !== layer) all.push({ path: posix.join(posix.dirname(file(layer, i)), last), layer })
  }
  return [...all, { path: entry, layer: LAYERS.length }]
}

const sameLayer = (file: PlannedFile) => file.package.files.filter(({ layer }) => layer === file.layer)
const baseName = ({ path }: PlannedFile) => posix.basename(path)
const folderName = ({ path }: PlannedFile) => posix.basename(posix.dirname(path))
const isEntry = (file: PlannedFile) => file === file.package.entry

const isLayerInit = (file: PlannedFile) => baseName(file) === '__init__.py' && !isEntry(file)

const PYTHON: MixedStyle = {
  family: 'python',
  share: 0.14,
  imports: [2, 6],
  kinds: [],
  hasCycles: true,
  nameOf: id => `mixed_${id}`,
  paths: (id, size, name) => {
    const top = `src/mixed_${id}`
    const names = Array.from({ length: size }, name)
    return withLayerFiles(
      size,
      (layer, i) => `${top}/${LAYERS[layer]}/${names[i]}_${i}.py`,
      '__init__.py',
      `${top}/__init__.py`,
    )
  },
  kindOf: () => 'python',
  demanded: file =>
    isLayerInit(file)
      ? sameLayer(file)
          .slice(0, 2)
          .filter(one => one !== file)
      : NONE,
  isLeaf: isLayerInit,
  mayImport: (file, other) => isBefore(file, other) && !isLayerInit(other),
  isOpen: file => !isLayerInit(file),
  statement(file, { kind, to }, i) {
    if (kind === 'missing') return `from .missing_${i} import part`
    if (to === null) return `import ${turn(OUTSIDE_PYTHON, file, i)}`
    const top = to.package.name
    if (isEntry(to)) return `from ${top} import part_${i}`
    const module = withoutEnding(baseName(to))
    const absolute = `${top}.${folderName(to)}`
    const dots = isEntry(file) ? '.' : '..'
    const near = to.package === file.package ? `${dots}${folderName(to)}` : absolute
    return turn(
      [
        `from ${near}.${module} import part_${i}`,
        `from ${near} import ${module} as other_${i}`,
        `import ${absolute}.${module}`,
        `from ${near}.${module} import (\n    part_${i},  # import nothing\n    other,\n)`,
      ],
      file,
      i,
    )
  },
  text: (file, imports, body) =>
    `"""${file.path}\n\nimport nothing_of_this\n"""\n${imports.join('\n')}\n\n\n${body}`,
  manifests: ({ name }) => ({ 'pyproject.toml': `[project]\nname = "${name}"\nversion = "1.0.0"\n` }),
  workspace: () => ({
    'python/pyproject.toml':
      '[project]\nname = "mixed"\nversion = "1.0.0"\n\n[tool.uv.workspace]\nmembers = ["p*"]\n',
  }),
}

const isMod = (file: PlannedFile) => baseName(file) === 'mod.rs'
const module = (file: PlannedFile) => (isMod(file) ? folderName(file) : withoutEnding(baseName(file)))

const RUST: MixedStyle = {
  family: 'rust',
  share: 0.1,
  imports: [1, 5],
  kinds: [],
  hasCycles: true,
  nameOf: id => `mixed_${id}`,
  paths: (_, size, name) => {
    const names = Array.from({ length: size }, name)
    return withLayerFiles(
      size,
      (layer, i) => `src/${LAYERS[layer]}/${names[i]}_${i}.rs`,
      'mod.rs',
      'src/lib.rs',
    )
  },
  kindOf: () => 'rust',
  demanded: file => {
    if (isEntry(file)) return file.package.files.filter(isMod)
    return isMod(file) ? sameLayer(file).filter(one => one !== file) : NONE
  },
  isLeaf: isMod,
  mayImport: (file, other) => isBefore(file, other) && !isMod(other),
  isOpen: file => !isMod(file),
  statement(file, { kind, to }, i) {
    if (kind === 'missing') return `mod missing_${i};`
    if (to === null) return `use ${turn(OUTSIDE_RUST, file, i)};`
    if (isMod(to) || (isMod(file) && to.package === file.package)) return `pub mod ${module(to)};`
    const crate = to.package === file.package ? 'crate' : to.package.name
    if (isEntry(to)) return `use ${crate}::Part${i};`
    const path = `${crate}::${folderName(to)}::${module(to)}`
    return turn(
      [`use ${path}::Part${i};`, `use ${path}::{Part${i}, Other as Another${i}};`, `pub use ${path}::*;`],
      file,
      i,
    )
  },
  text: (file, imports, body) =>
    `//! ${file.path}: use crate::nothing::of_this;\n\n${imports.join('\n')}\n\n${body}`,
  manifests: ({ name, needs }) => ({
    'Cargo.toml': [
      `[package]\nname = "${name}"\nversion = "1.0.0"\nedition = "2021"\n\n[dependencies]`,
      ...needs.map(need => `${need.name} = { path = "../${posix.basename(need.folder)}" }`),
      '',
    ].join('\n'),
  }),
  workspace: () => ({ 'rust/Cargo.toml': '[workspace]\nresolver = "2"\nmembers = ["p*"]\n' }),
}

const GO: MixedStyle = {
  family: 'go',
  share: 0.07,
  imports: [1, 3],
  kinds: [],
  hasCycles: false,
  nameOf: id => `example.com/mixed/${id}`,
  paths: (id, size, name) =>
    Array.from({ length: size }, (_, i) => {
      const layer = Math.floor(i / GO_FOLDER)
      const isTop = i >= size - 3
      const file = i === size - 1 ? id : `${name()}_${i}`
      return {
        path: isTop ? `${file}.go` : `${LAYERS[layer % LAYERS.length]}${layer}/${file}.go`,
        layer: isTop ? size : layer,
      }
    }),
  kindOf: () => 'go',
  demanded: () => NONE,
  isLeaf: () => false,
  mayImport: (file, other) => other.layer < file.layer,
  isOpen: () => true,
  folderOf: sameLayer,
  statement(file, { kind, to }, i) {
    if (kind === 'missing') return `import "${file.package.name}/missing${i}"`
    if (to === null) return `import "${turn(OUTSIDE_GO, file, i)}"`
    const folder = posix.relative(to.package.folder, posix.dirname(to.path))
    const path = folder === '' ? to.package.name : `${to.package.name}/${folder}`
    return turn(
      [`import "${path}"`, `import other${i} "${path}"`, `import (\n\t_ "${path}" // "nothing"\n)`],
      file,
      i,
    )
  },
  text: (file, imports, body) => {
    const top = file.layer === file.package.entry.layer
    const name = top ? posix.basename(file.package.folder) : folderName(file)
    return `// Package ${name} is made up: import "nothing".\npackage ${name}\n\n${imports.join('\n')}\n\n${body}`
  },
  manifests: ({ name }) => ({ 'go.mod': `module ${name}\n\ngo 1.24\n` }),
  workspace: members => ({
    'go/go.work': `go 1.24\n\nuse (\n${members.map(({ folder }) => `\t./${posix.basename(folder)}\n`).join('')})\n`,
  }),
}

const isHeader = ({ path }: PlannedFile) => path.endsWith('.h') || path.endsWith('.hpp')

function native(share: number, source: 'c' | 'cpp', header: 'h' | 'hpp'): MixedStyle {
  return {
    family: 'native',
    share,
    imports: [1, 4],
    kinds: [],
    hasCycles: true,
    nameOf: id => id,
    paths: (id, size, name) => {
      let last = ''
      return [
        ...layersOf(size - 1).map((_, i, layers) => {
          // A header, then its source.
          if (i % 2 === 0) last = `${name()}_${i}`
          const layer = layers[i - (i % 2)] as number
          return { path: `src/${LAYERS[layer]}/${last}.${i % 2 === 0 ? header : source}`, layer }
        }),
        { path: `src/${id}.${header}`, layer: LAYERS.length },
      ]
    },
    kindOf: () => source,
    demanded: file => (isHeader(file) ? NONE : [file.package.files[file.place - 1] as PlannedFile]),
    isLeaf: () => false,
    mayImport: (file, other) => isBefore(file, other) && isHeader(other),
    isOpen: isHeader,
    statement(file, { kind, to }, i) {
      if (kind === 'missing') return `#include "missing_${i}.h"`
      if (to === null) return `#include <${turn(OUTSIDE_C, file, i)}>`
      const inPackage = posix.relative(`${to.package.folder}/src`, to.path)
      const path =
        to.package === file.package ? inPackage : `${posix.basename(to.package.folder)}/src/${inPackage}`
      return turn([`#include "${path}"`, `#  include "${path}" /* "nothing.h" */`], file, i)
    },
    text: (file, imports, body) => {
      const guard = isHeader(file) ? '#pragma once\n\n' : ''
      return `/* ${file.path}\n#include "nothing.h"\n*/\n${guard}${imports.join('\n')}\n\n${body}`
    },
    // What binds native parts of a program to its scripts, in a workspace of scripts.
    manifests: ({ name }) => ({ 'package.json': json({ name: `@native/${name}`, version: '1.0.0' }) }),
    workspace: () => ({}),
  }
}

export const STYLES: readonly MixedStyle[] = [
  TYPESCRIPT,
  JAVASCRIPT,
  PYTHON,
  RUST,
  GO,
  native(0.035, 'c', 'h'),
  native(0.035, 'cpp', 'hpp'),
]
