import { parseSync, visitorKeys } from 'oxc-parser'

interface Node {
  type: string
  start: number
  [key: string]: unknown
}

/** What a parser finds that a text imports, each as `kind line specifier`; null: the parser refuses the text. */
export function oxcImports(source: string, path: string): Set<string> | null {
  const { program, errors } = parseSync(path, source)
  if (errors.some(({ severity }) => severity === 'Error')) return null
  const found: { kind: string; at: number; specifier: string }[] = []
  walk(program.body as unknown, 0)
  return new Set(
    found.map(({ kind, at, specifier }) => `${kind} ${source.slice(0, at).split('\n').length} ${specifier}`),
  )

  function walk(node: unknown, depth: number): void {
    if (Array.isArray(node)) for (const one of node) walk(one, depth)
    else if (isNode(node)) {
      const inner = visit(node, depth)
      if (inner !== null) for (const key of visitorKeys[node.type] ?? []) walk(node[key], inner)
    }
  }

  /** Gives how many functions its children are in; null: they are of no interest. */
  function visit(node: Node, depth: number): number | null {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        return declaration(node) ? null : depth
      case 'TSImportEqualsDeclaration': {
        const module = node.moduleReference as Node
        const type = node.importKind === 'type'
        if (module.type === 'TSExternalModuleReference')
          add(type ? 'type' : 'static', node, module.expression)
        return null
      }
      case 'TSModuleDeclaration':
        return null
      case 'ImportExpression':
        add('dynamic', node, node.source)
        return depth
      case 'CallExpression':
        return call(node, depth)
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        walk(node.params, depth)
        walk(node.body, depth + 1)
        return null
    }
    return depth
  }

  function declaration(node: Node): boolean {
    if (!isNode(node.source)) return false
    const imports = node.type === 'ImportDeclaration'
    const kind = imports ? 'importKind' : 'exportKind'
    const names = (node.specifiers ?? []) as Node[]
    const types = names.length > 0 && names.every(one => one[kind] === 'type')
    add(node[kind] === 'type' || types ? 'type' : 'static', node, node.source)
    return true
  }

  function call(node: Node, depth: number): number | null {
    const given = node.arguments as Node[]
    let callee = bare(node.callee as Node)
    if (callee.type === 'Identifier' && callee.name === 'require' && given.length === 1)
      add(depth === 0 ? 'static' : 'dynamic', node, given[0])
    const property = callee.property as Node | undefined
    if (callee.type === 'MemberExpression' && /^(call|apply)$/.test(String(property?.name)))
      callee = bare(callee.object as Node)
    if (callee.type !== 'FunctionExpression') return depth
    walk(callee.body, depth)
    walk(given, depth)
    return null
  }

  function add(kind: string, { start }: Node, literal: unknown): void {
    const specifier = isNode(literal) ? textOf(literal) : null
    if (specifier !== null) found.push({ kind, at: start, specifier })
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function bare(node: Node): Node {
  return node.type === 'ParenthesizedExpression' ? bare(node.expression as Node) : node
}

function textOf(node: Node): string | null {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : null
  const quasis = node.quasis as { value: { cooked: string } }[] | undefined
  return node.type === 'TemplateLiteral' && quasis?.length === 1 ? (quasis[0]?.value.cooked ?? null) : null
}
