import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lastOfInterest } from '../../../../health/shm/extract/import-clause.ts'
import { extractJavaScript } from '../../../../health/shm/extract/javascript.ts'
import { scanJavaScript } from '../../../../health/shm/extract/javascript-scanner.ts'
import { rounds } from '../../../support/rounds.ts'

const found = (source: string, path = 'a.ts') =>
  extractJavaScript(source, path).imports.map(({ kind, line, specifier }) => `${kind} ${line} ${specifier}`)

/** Each with the imports it has; read as a file for es-module-lexer and as one for the scanner. */
const CASES: readonly (readonly [source: string, imports: string[]])[] = [
  [`import './a.ts'`, ['static 1 ./a.ts']],
  [`import a, { type B, c } from './a.ts'`, ['static 1 ./a.ts']],
  [`\n\nimport {\n  a,\n  b,\n} from './a.ts'`, ['static 3 ./a.ts']],
  [`import * as a from './a.ts' with { type: 'json' }`, ['static 1 ./a.ts']],
  [`import {} from './a.ts'`, ['static 1 ./a.ts']],
  [`import type { A } from './a.ts'`, ['type 1 ./a.ts']],
  [`import type A from './a.ts'`, ['type 1 ./a.ts']],
  [`import type * as A from './a.ts'`, ['type 1 ./a.ts']],
  [`import { type A, type B as C } from './a.ts'`, ['type 1 ./a.ts']],
  [`import d, { type A } from './a.ts'`, ['static 1 ./a.ts']],
  [`import { type } from './a.ts'`, ['static 1 ./a.ts']],
  [`import { type as a } from './a.ts'`, ['static 1 ./a.ts']],
  [`import type from './a.ts'`, ['static 1 ./a.ts']],
  [`import type, { a } from './a.ts'`, ['static 1 ./a.ts']],
  [`import type from from './a.ts'`, ['type 1 ./a.ts']],
  [`import from from './a.ts'`, ['static 1 ./a.ts']],
  [`export * from './a.ts'; export * as b from './b.ts'`, ['static 1 ./a.ts', 'static 1 ./b.ts']],
  [`export type * from './a.ts'; export type { B } from './b.ts'`, ['type 1 ./a.ts', 'type 1 ./b.ts']],
  [
    `export { type A } from './a.ts'; export { type A, b } from './b.ts'`,
    ['type 1 ./a.ts', 'static 1 ./b.ts'],
  ],
  [`export { a }; export const b = 'from'; export default './c.ts'`, []],
  [`const a = await import('./a.ts')`, ['dynamic 1 ./a.ts']],
  ['import(`./a.ts`)', ['dynamic 1 ./a.ts']],
  ['import(`./$' + '{a}.ts`); import("./" + a)', []],
  [`import(/* webpackChunkName: 'a' */ './a.ts', { with: {} })`, ['dynamic 1 ./a.ts']],
  [`let a: typeof import('./a.ts')`, ['type 1 ./a.ts']],
  [`let a: import('./a.ts').B`, ['type 1 ./a.ts']],
  [`import('./a.ts').then(b)`, ['dynamic 1 ./a.ts']],
  [`import.meta.resolve('./a.ts'); new Worker(new URL('./b.ts', import.meta.url))`, []],
  [`// import './a.ts'\n/* import './a.ts' */\nconst a = "import './a.ts'", b = /import '.\\/a'/`, []],
  [`import './\\x61.ts'`, ['static 1 ./a.ts']],
]

/** With `require`, and so always for the scanner. */
const REQUIRES: readonly (readonly [source: string, imports: string[]])[] = [
  [`const { a } = require('./a'), b = require("./b").c`, ['static 1 ./a', 'static 1 ./b']],
  [`if (a) require('./a')\nelse { require('./b') }`, ['static 1 ./a', 'static 2 ./b']],
  [`function a() { require('./a') }\nrequire('./b')`, ['dynamic 1 ./a', 'static 2 ./b']],
  [`const a = b => require('./a'), c = require('./c')`, ['dynamic 1 ./a', 'static 1 ./c']],
  [`const a = { b() { require('./a') }, c: require('./c') }`, ['dynamic 1 ./a', 'static 1 ./c']],
  [`class A { b() { if (c) { require('./a') } } }`, ['dynamic 1 ./a']],
  [`(function () { require('./a') }).call(this)`, ['static 1 ./a']],
  [`(() => { require('./a') })()`, ['static 1 ./a']],
  [`import a = require('./a')\nimport type b = require('./b')`, ['static 1 ./a', 'type 2 ./b']],
  [`export import a = require('./a')\nimport b = c.d`, ['static 1 ./a']],
  [`a.require('./a'); require.resolve('./b'); require(c); require('./d' + e); require('./f', g)`, []],
  [`// require('./a')\n"require('./a')"; \`require('./a') \${require('./b')}\``, ['static 2 ./b']],
  [`import './a'\nrequire( /* b */ './b' )`, ['static 1 ./a', 'static 2 ./b']],
]

describe('extractJavaScript', () => {
  it.each(CASES)('reads %j', (source, imports) => {
    expect(found(source)).toEqual(imports)
    expect(found(source, 'a.tsx')).toEqual(imports)
  })

  it.each(REQUIRES)('reads %j', (source, imports) => {
    expect(found(source)).toEqual(imports)
    expect(found(source, 'a.js')).toEqual(imports)
  })

  it('reads JSX in .js, .jsx and .tsx, and type assertions in .ts', () => {
    const jsx = `import './a'\nconst b = <p>it's {import('./c')}</p>\n`
    for (const path of ['a.js', 'a.jsx', 'a.tsx'])
      expect(found(jsx, path)).toEqual(['static 1 ./a', 'dynamic 2 ./c'])
    expect(found(`const a = <B>require('./b'); const c = <D>e`, 'a.ts')).toEqual(['static 1 ./b'])
  })

  it('reads the types of Flow', () => {
    const source = `import typeof A from './a'\nimport { type B, typeof C } from './b'\nimport { d } from './d'\n<p />\n`
    expect(found(source, 'a.jsx')).toEqual(['type 1 ./a', 'type 2 ./b', 'static 3 ./d'])
  })

  it('says where a text is broken, and tells what it found', () => {
    const { imports, brokenLine } = extractJavaScript(`import './a'\n\nconst b = 'it\nimport './c'\n`, 'a.ts')
    expect(brokenLine).toBe(3)
    expect(imports.map(({ specifier }) => specifier)).toEqual(['./a', './c'])
  })

  it('says that a valid text is whole, in whatever form', () => {
    for (const path of ['a.ts', 'a.tsx'])
      expect(extractJavaScript(`export const a = 1\n`, path).brokenLine).toBeNull()
  })

  it('is not moved by what stands in strings, comments, templates and JSX text', () => {
    const plain = fc.stringMatching(/^[a-z '"`/*{}<>=()\n.;]*$/)
    fc.assert(
      fc.property(plain, text => {
        const quoted = JSON.stringify(text)
        const comment = text.replaceAll('*/', '')
        const template = text.replaceAll('`', '')
        const markup = text.replace(/[<>{}]/g, '')
        const source =
          `/* ${comment} */ const a = ${quoted}, b = \`${template}\`\n` +
          `// ${text.replaceAll('\n', ' ')}\nconst c = <p title=${JSON.stringify(markup.replaceAll('"', ''))}>${markup}</p>\nrequire('./x')`
        expect(found(source, 'a.tsx').map(one => one.split(' ')[2])).toEqual(['./x'])
      }),
    )
  })

  it('takes any text at all', () => {
    const piece = fc.constantFrom(
      ...[
        'import ',
        'export ',
        'from ',
        'require(',
        "'./a'",
        '"',
        "'",
        '`',
        '${',
        '{',
        '}',
        '(',
        ')',
        '<',
        '>',
        '</',
      ],
      ...[
        '/',
        '//',
        '/*',
        '*/',
        '=>',
        ':',
        '\n',
        'a',
        'type ',
        '*',
        ' as ',
        '=',
        ',',
        '.',
        '...',
        '\\',
        '[',
        ']',
        'if',
      ],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
        const source = pieces.join('')
        for (const path of ['a.ts', 'a.tsx', 'a.js'])
          for (const { line } of extractJavaScript(source, path).imports)
            expect(line).toBeLessThanOrEqual(source.split('\n').length)
        // Nothing is missed where the rest is not read.
        for (const jsx of [true, false])
          expect(scanJavaScript(source, { jsx, end: lastOfInterest(source) }).imports).toEqual(
            scanJavaScript(source, { jsx }).imports,
          )
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    '(',
    '[',
    '{',
    '<a>',
    '<a b={',
    '`${',
    '() => {',
    'a=>',
    '!',
    '/*',
    '//',
    '"',
    "'",
    '`',
    'import {',
    'import ',
    'export {a,',
    'import(',
    'require(',
    '<a<',
    '</',
    '/[',
    'function(){',
    '}',
    '})',
    ')',
    'if(',
    '<T>(',
    'a?b:',
    '\\',
  ])('takes millions of characters of %j', piece => {
    const source = piece.repeat(Math.ceil(rounds(2e6, 10) / piece.length))
    expect(() => scanJavaScript(source, { jsx: true })).not.toThrow()
    expect(extractJavaScript(source, 'a.tsx').imports.length).toBeLessThanOrEqual(source.length)
  })
})
