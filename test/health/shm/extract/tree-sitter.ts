/** What files import by the grammars of tree-sitter: an oracle that shares nothing with what is tested. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as TreeSitter from '@vscode/tree-sitter-wasm'

export type Grammar = 'rust' | 'go' | 'cpp'

/** Specifiers with their lines, `use a::b 12`, sorted. */
export type Told = string[]

const require = createRequire(import.meta.url)

/** Parsers of all grammars, which are loaded once. */
export class Oracle {
  readonly #parsers: Map<Grammar, TreeSitter.Parser>

  private constructor(parsers: Map<Grammar, TreeSitter.Parser>) {
    this.#parsers = parsers
  }

  static async load(): Promise<Oracle> {
    const { Parser, Language } = require('@vscode/tree-sitter-wasm') as typeof TreeSitter
    await Parser.init()
    const parsers = new Map<Grammar, TreeSitter.Parser>()
    for (const grammar of ['rust', 'go', 'cpp'] as const) {
      const wasm = require.resolve(`@vscode/tree-sitter-wasm/wasm/tree-sitter-${grammar}.wasm`)
      parsers.set(grammar, new Parser().setLanguage(await Language.load(readFileSync(wasm))))
    }
    return new Oracle(parsers)
  }

  /** What it says of a file; null where it cannot read all of it. */
  read<T>(grammar: Grammar, source: string, reader: (root: TreeSitter.Node) => T): T | null {
    const tree = this.#parsers.get(grammar)?.parse(source)
    if (!tree) throw new Error(`${grammar} was not parsed`)
    try {
      return tree.rootNode.hasError ? null : reader(tree.rootNode)
    } finally {
      tree.delete()
    }
  }
}

export function goOracle(root: TreeSitter.Node): { told: Told; declares: string[] } {
  const told = nodesOf(root, 'import_spec').map(spec => {
    const path = spec.childForFieldName('path') as TreeSitter.Node
    return `${path.text.slice(1, -1)} ${lineOf(path)}`
  })
  const names = nodesOf(root, 'package_clause').flatMap(clause => clause.namedChildren)
  return {
    told: told.sort(),
    declares: names.flatMap(name => (name?.type === 'package_identifier' ? [name.text] : [])),
  }
}

export function cOracle(root: TreeSitter.Node): Told {
  const told: Told = []
  // In the body of a struct or an enum the grammar has no includes, only directives.
  for (const node of nodesOf(root, ['preproc_include', 'preproc_call'])) {
    if (!/^#\s*(include|import)\b/.test(node.text)) continue
    const path = node.childForFieldName('path') ?? node.childForFieldName('argument')
    const name = /^\s*("[^"]+"|<[^>]+>)/.exec(path?.text ?? '')?.[1]
    if (name === undefined || isLeftOut(node)) continue
    told.push(`${name.replace(/\\\r?\n/g, '')} ${lineOf(node)}`)
  }
  return told.sort()
}

/** Whether a condition around it that is a bare number says so. */
function isLeftOut(node: TreeSitter.Node): boolean {
  for (let inner = node, outer = node.parent; outer !== null; inner = outer, outer = outer.parent) {
    if (outer.type !== 'preproc_if' && outer.type !== 'preproc_elif') continue
    const condition = outer.childForFieldName('condition')?.text
    const isElse = outer.childForFieldName('alternative')?.id === inner.id
    if (!isElse && (condition === '0' || condition === 'false')) return true
    if (isElse && (condition === '1' || condition === 'true')) return true
  }
  return false
}

/** The declarations of a Rust file, without what `#[path]` says, and the lines on which uses of macros with items stand. */
export function rustOracle(root: TreeSitter.Node): { told: Told; declares: string[]; macros: Set<number> } {
  const told: Told = []
  const declares: string[] = []
  for (const node of nodesOf(root, ['use_declaration', 'extern_crate_declaration', 'mod_item'])) {
    if (isTestOnly(node)) continue
    const modules = modulesAround(node)
    const at = modules.length === 0 ? '' : `@${modules.join('::')}`
    const name = node.childForFieldName('name')
    if (node.type === 'mod_item') {
      const plain = plainName(name as TreeSitter.Node)
      if (node.childForFieldName('body') === null)
        told.push(`mod${at} ${plain} ${lineOf(name as TreeSitter.Node)}`)
      else declares.push([...modules, plain].join('::'))
    } else if (node.type === 'extern_crate_declaration') {
      if (name?.text !== 'self')
        told.push(`use${at} ::${plainName(name as TreeSitter.Node)} ${lineOf(name as TreeSitter.Node)}`)
    } else {
      for (const leaf of leavesOf(node.childForFieldName('argument') as TreeSitter.Node, ''))
        told.push(`use${at} ${leaf}`)
    }
  }
  const macros = new Set<number>()
  for (const use of nodesOf(root, 'macro_invocation')) {
    for (let row = use.startPosition.row; row <= use.endPosition.row; row++) macros.add(row + 1)
  }
  return { told: [...new Set(told)].sort(), declares, macros }
}

/** The leaves of a `use` tree with their lines. */
function leavesOf(node: TreeSitter.Node, prefix: string): string[] {
  switch (node.type) {
    case 'use_as_clause':
      return leavesOf(node.childForFieldName('path') as TreeSitter.Node, prefix)
    case 'use_list':
      return listed(node).flatMap(one => leavesOf(one, prefix))
    case 'scoped_use_list': {
      const path = node.childForFieldName('path')
      const list = node.childForFieldName('list') as TreeSitter.Node
      return leavesOf(list, `${prefix}${path === null ? '' : plainPath(path)}::`)
    }
    case 'use_wildcard': {
      const [path] = listed(node)
      const rooted = path === undefined && node.text.startsWith('::') ? '::' : ''
      const row = node.endPosition.row + 1
      return [`${prefix}${path === undefined ? rooted : `${plainPath(path)}::`}* ${row}`]
    }
    case 'self':
      return [`${prefix === '' ? 'self' : prefix.slice(0, -2)} ${lineOf(node)}`]
    default:
      return [`${prefix}${plainPath(node)} ${node.endPosition.row + 1}`]
  }
}

function plainPath(node: TreeSitter.Node): string {
  if (node.type !== 'scoped_identifier') return plainName(node)
  const path = node.childForFieldName('path')
  const name = node.childForFieldName('name') as TreeSitter.Node
  return `${path === null ? '' : plainPath(path)}::${plainName(name)}`
}

function plainName(node: TreeSitter.Node): string {
  return node.text.replace(/^r#/, '')
}

function listed(node: TreeSitter.Node): TreeSitter.Node[] {
  return node.namedChildren.filter(
    child => child !== null && !child.type.endsWith('comment'),
  ) as TreeSitter.Node[]
}

function modulesAround(node: TreeSitter.Node): string[] {
  const names: string[] = []
  for (let outer = node.parent; outer !== null; outer = outer.parent) {
    if (outer.type === 'mod_item')
      names.unshift(plainName(outer.childForFieldName('name') as TreeSitter.Node))
  }
  return names
}

/** Whether an attribute of it, or of what it stands in, needs a build with tests. */
function isTestOnly(node: TreeSitter.Node): boolean {
  for (let here: TreeSitter.Node | null = node; here !== null; here = here.parent) {
    for (let before = here.previousNamedSibling; before !== null; before = before.previousNamedSibling) {
      if (before.type.endsWith('comment')) continue
      if (before.type !== 'attribute_item') break
      if (needsTests(before.text)) return true
    }
    if (here.namedChildren.some(child => child?.type === 'inner_attribute_item' && needsTests(child.text)))
      return true
  }
  return false
}

/** By rewriting the predicate, step by step, to one letter: False, True or Unknown. */
function needsTests(attribute: string): boolean {
  const text = attribute.replace(/\/\/[^\n]*|\/\*.*?\*\//gs, '').replace(/\s/g, '')
  if (/^#!?\[(\w+::)*test[\](]/.test(text)) return true
  let predicate = /^#!?\[cfg\((.*)\)\]$/.exec(text)?.[1]
  if (predicate === undefined) return false
  predicate = predicate
    .replace(/[\w-]+="[^"]*"/g, 'U')
    .replace(/\b(?!all\b|any\b|not\b|test\b|U\b)\w+\b(?!\()/g, 'U')
  predicate = predicate.replace(/\btest\b/g, 'F')
  for (let before = ''; before !== predicate; ) {
    before = predicate
    predicate = predicate.replace(/\b(all|any|not)\(([FTU,]*)\)/g, (_, word: string, list: string) => {
      const has = (letter: string) => list.includes(letter)
      if (word === 'not') return has('F') ? 'T' : has('T') ? 'F' : 'U'
      if (word === 'all') return has('F') ? 'F' : has('U') ? 'U' : 'T'
      return has('T') ? 'T' : has('U') ? 'U' : 'F'
    })
  }
  return predicate === 'F'
}

function nodesOf(root: TreeSitter.Node, types: string | string[]): TreeSitter.Node[] {
  return root.descendantsOfType(types).filter(node => node !== null)
}

/** From 1. */
function lineOf(node: TreeSitter.Node): number {
  return node.startPosition.row + 1
}
