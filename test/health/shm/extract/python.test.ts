import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractPython } from '../../../../health/shm/extract/python.ts'
import { rounds } from '../../../support/rounds.ts'

const found = (source: string) =>
  extractPython(source).imports.map(({ kind, line, specifier }) => `${kind} ${line} ${specifier}`)

/** Strings of Python 3.12 and 3.14 are among these, which older Pythons cannot vouch for. */
const CASES: readonly (readonly [source: string, imports: string[]])[] = [
  ['import a.b as c, d', ['static 1 a.b', 'static 1 d']],
  [
    'from ..a.b import (c as d,\n  e, # f\n)\nimport g',
    ['static 1 ..a.b:c', 'static 1 ..a.b:e', 'static 4 g'],
  ],
  ['from . import a\nfrom .import b\nfrom ... import c', ['static 1 .:a', 'static 2 .:b', 'static 3 ...:c']],
  ['from a import *', ['static 1 a:*']],
  ['import a \\\n  . b \\\n  as c', ['static 1 a.b']],
  [
    'if a: import b; from c import d\ntry: import e\nexcept: pass',
    ['static 1 b', 'static 1 c:d', 'static 2 e'],
  ],
  ['def f():\n  import a\n  yield from b\n  raise C from d', ['static 2 a']],
  ['"""\nimport a\n"""\nimport b', ['static 4 b']],
  ["r'\\'\nimport a", ['static 2 a']],
  ["rb'''\\'''\nimport a\n'''\nimport b", ['static 4 b']],
  ['x = """a\\"""\nimport no\n"""\nimport b', ['static 4 b']],
  ["x = 'it\nimport a", ['static 2 a']],
  ['x = f"{a["import no"]}" # import no\nimport b', ['static 2 b']],
  [`x = f"{'"'.join(y)}{z!r:>{w["'"]}}"\nimport b`, ['static 2 b']],
  [`x = f'{{"{{ {a:"^10} }}'\nimport b`, ['static 2 b']],
  [`x = f"{f"{f"{1}"}"}"; import b`, ['static 1 b']],
  ['x = f"""{\nimport_module("a")\n}"""\nimport b', ['static 4 b']],
  [`x = rf"\\{y["'"]}"\nimport b`, ['static 2 b']],
  [`x = t"{a['"']}"\nimport b`, ['static 2 b']],
  ['x = {"import": a, b: [c,\nimport_]}\nimport d', ['static 3 d']],
  ['x = (\n1\n); import a', ['static 3 a']],
  ['import_a = 1\nimporta()\nfromage = 2\na.import_b', []],
  ['importlib.import_module("a.b")', ['dynamic 1 a.b']],
  ['import_module(\n  # c\n  ".a" "b", __package__)', ['dynamic 1 .ab']],
  ["x = __import__('a')\n", ['dynamic 1 a']],
  ['self.import_module("a"); xlib.import_module("b"); my_import_module("c")', []],
  ['import_module(a); import_module("a" + b); import_module(f"a"); import_module("a %s" % b)', []],
  ['import a\r\nimport b\r\n', ['static 1 a', 'static 2 b']],
  ['\fimport a\n\ufeff', ['static 1 a']],
  ['from a import\nimport b\nimport\nfrom\nfrom c', ['static 2 b']],
]

describe('extractPython', () => {
  it.each(CASES)('reads %j', (source, imports) => {
    expect(found(source)).toEqual(imports)
  })

  it('is not moved by what stands in strings and comments', () => {
    const text = fc.stringMatching(/^[a-z '#(){}\n:;.]*$/)
    fc.assert(
      fc.property(text, fc.constantFrom('', 'r', 'b', 'Rb', 'u'), (inside, prefix) => {
        const line = inside.replaceAll('\n', ' ')
        const source = `x = ${prefix}"""${inside}"""; y = ${prefix}"${line}" # ${line}\nimport a\n`
        expect(found(source)).toEqual([`static ${inside.split('\n').length + 1} a`])
      }),
    )
  })

  it('takes any text at all', () => {
    const piece = fc.constantFrom(
      ...[
        'import ',
        'from ',
        'a',
        '.',
        ',',
        ' as ',
        '*',
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        ':',
        ';',
        '#',
        '\n',
        '\r',
        '\\',
      ],
      ...[
        '"',
        "'",
        '"""',
        'f"',
        "rf'''",
        '{{',
        '}}',
        'if TYPE_CHECKING:',
        'else:',
        ' ',
        '\t',
        'import_module("a")',
        '=',
        '!r',
      ],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
        const source = pieces.join('')
        for (const { line } of extractPython(source).imports)
          expect(line).toBeLessThanOrEqual(source.split('\n').length)
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    '(',
    '"',
    "'",
    '"""',
    'f"{',
    'f\'{f"{',
    '\\',
    '\\\n',
    '#',
    ':',
    ';',
    'import ',
    'import a,',
    'from a import ',
    'from a import (',
    'from ',
    '.',
    'if TYPE_CHECKING:\n ',
    'if TYPE_CHECKING',
    'if (',
    'if a.',
    'import_module(',
    'import_module("a"',
    '\t',
    '}',
    '{',
  ])('takes millions of characters of %j', piece => {
    const source = piece.repeat(Math.ceil(rounds(2e6, 10) / piece.length))
    expect(extractPython(source).imports.length).toBeLessThanOrEqual(source.length)
  })
})
