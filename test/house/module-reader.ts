import {
  type Expression,
  type ImportDeclaration,
  type MemberExpression,
  parseSync,
  type StringLiteral,
  type VariableDeclarator,
  Visitor,
} from 'oxc-parser'

/** One import, re-export, dynamic import or `import('…')` type. */
export interface ImportUse {
  line: number
  /** As it is written; null where it is computed. */
  name: string | null
  /** The names that are imported from it, where they are listed. */
  names: string[]
  /** Whether nothing but types is taken. */
  typeOnly: boolean
}

/** What a source file says about its surroundings. */
export interface ModuleReading {
  imports: ImportUse[]
  /** Where `process.env` and `process.argv` are read. */
  mentions: { line: number; name: string }[]
  /** Why the file does not parse; what was read is not to be trusted then. */
  faults: { line: number; message: string }[]
}

/** Reads the source text of one .ts or .tsx file. Comments and strings say nothing. */
export function readModule(file: string, source: string): ModuleReading {
  const { program, errors } = parseSync(file, source)
  const line = (offset: number) => source.slice(0, offset).split('\n').length
  const reading: ModuleReading = {
    imports: [],
    mentions: [],
    faults: errors.map(({ message, labels }) => ({ message, line: line(labels[0]?.start ?? 0) })),
  }
  const use = (start: number, name: string | null, names: string[], typeOnly: boolean) => {
    reading.imports.push({ line: line(start), name, names, typeOnly })
  }
  const mention = (start: number, name: string | null) => {
    if (name === 'env' || name === 'argv')
      reading.mentions.push({ line: line(start), name: `process.${name}` })
  }
  new Visitor({
    ImportDeclaration(node) {
      use(node.start, node.source.value, importedNames(node), isTypeImport(node))
    },
    ExportAllDeclaration(node) {
      use(node.start, node.source.value, [], node.exportKind === 'type')
    },
    ExportNamedDeclaration(node) {
      if (node.source === null) return
      const typeOnly = allTypes(node.specifiers.map(specifier => specifier.exportKind))
      use(node.start, node.source.value, [], node.exportKind === 'type' || typeOnly)
    },
    ImportExpression(node) {
      use(node.start, constantText(node.source), [], false)
    },
    TSImportType(node) {
      use(node.start, (node.source as StringLiteral).value, [], true)
    },
    MemberExpression(node) {
      if (isProcess(node.object)) mention(node.start, propertyOf(node))
    },
    VariableDeclarator(node) {
      for (const name of unpackedFromProcess(node)) mention(node.start, name)
    },
  }).visit(program)
  return reading
}

function isTypeImport(node: ImportDeclaration): boolean {
  if (node.importKind === 'type') return true
  return allTypes(
    node.specifiers.map(specifier => (specifier.type === 'ImportSpecifier' ? specifier.importKind : 'value')),
  )
}

/** An empty list takes no types: it is an import for its effects. */
function allTypes(kinds: (string | undefined)[]): boolean {
  return kinds.length > 0 && kinds.every(kind => kind === 'type')
}

function importedNames(node: ImportDeclaration): string[] {
  return node.specifiers.flatMap(specifier => {
    if (specifier.type !== 'ImportSpecifier' || specifier.importKind === 'type') return []
    return [specifier.imported.type === 'Literal' ? specifier.imported.value : specifier.imported.name]
  })
}

function constantText(node: Expression): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? null
  return null
}

/** `process`, `globalThis.process` or `global.process`. */
function isProcess(node: Expression | { type: 'Super' }): boolean {
  if (node.type === 'Identifier') return node.name === 'process'
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return false
  return /^global(This)?$/.test(node.object.name) && propertyOf(node) === 'process'
}

function propertyOf(node: MemberExpression): string | null {
  if (node.computed) return constantText(node.property)
  return node.property.type === 'Identifier' ? node.property.name : null
}

function unpackedFromProcess(node: VariableDeclarator): string[] {
  if (node.id.type !== 'ObjectPattern' || !node.init || !isProcess(node.init)) return []
  return node.id.properties.flatMap(property =>
    property.type === 'Property' && property.key.type === 'Identifier' ? [property.key.name] : [],
  )
}
