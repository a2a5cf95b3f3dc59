/** TSX that is easily misread, each with an import behind it that a misreading hides. */
export const JSX_CORPUS: readonly (readonly [name: string, source: string])[] = [
  ['text with quotes', `const a = <p>Don't "quote" \`this\`</p>\nimport('./x')\n`],
  ['text with what looks like comments', `const a = <p>http://a.b /* no */ // no</p>; import('./x')\n`],
  ['text with what looks like imports', `const a = <p>import('./no') require('./no')</p>; import('./x')\n`],
  ['code in text', `const a = <p>it's {b ? <i>isn't</i> : require('./x')} so</p>\n`],
  [
    'code in attributes',
    `const a = <B c={() => import('./x')} d="it's /*" e='"' {...f} />; require('./y')\n`,
  ],
  ['an element as an attribute', `const a = <B c=<i>it's</i> d />; require('./y')\n`],
  ['fragments', `const a = <><b>it's</b>{/* import('./no') */}</>; import('./x')\n`],
  ['comments in tags', `const a = <B /* it's > */ c // it's >\n />; import('./x')\n`],
  ['names with signs', `const a = <a.b.c><d-e f:g="'" /></a.b.c>; import('./x')\n`],
  ['types given to tags', `const a = <List<Map<string, 'a'>> of={b}>it's</List>; import('./x')\n`],
  ['generic arrows', `const f = <T,>(a: T) => a; const g = <T extends U>(a: T) => "'"; import('./x')\n`],
  [
    'generic function types',
    `type F = <T>(a: T, b: (c: T) => void) => T; let g: <U>(a: U) => void; import('./x')\n`,
  ],
  ['elements whose text is in parentheses', `const a = <b>(it's)</b>; import('./x')\n`],
  [
    'comparisons',
    `if (a < b && c > d || e << f >> 2) import('./x'); for (let i = 0; i < n; i++) require('./y')\n`,
  ],
  ['regular expressions', `const a = b ? /['"\`<]/ : c / d / e; if (x) /it's/.test(y); import('./x')\n`],
  ['slashes in classes', `const a = /[/'"]/g, b = a++ / 2; import('./x')\n`],
  ['templates in templates', `const a = \`\${b ? \`'\${{ c: "}" }.c}\` : '\`'}\`; import('./x')\n`],
  ['non-null signs', `const a = b! / c!.d; const e = f!\nimport('./x')\n`],
  [
    'elements behind arrows and operators',
    `const f = () => <p>it's</p>, g = a && <p>it's</p>; import('./x')\n`,
  ],
  ['elements that return gives', `function f() { return <p>it's {require('./y')}</p> }\nrequire('./x')\n`],
  ['lists of elements', `const a = [<p key="a">it's</p>, <p>it's</p>]; import('./x')\n`],
  ['line breaks in text', `const a = <p>\n  it's\n  {b}\n  {'}'}\n</p>\nimport('./x')\n`],
  ['properties named as keywords', `a.import('./no'); a.require('./no'); a.return / 2; import('./x') // '\n`],
  ['spread calls', `const a = [...require('./x'), ...(await import('./y')).z]\n`],
  ['functions called on the spot', `(function () { require('./x') })(); !function () { require('./y') }()\n`],
  [
    'lazy requires',
    `const f = () => require('./x')\nconst g = require('./y'), h = { i() { require('./z') } }\n`,
  ],
  [
    'results with types',
    `function f(): { a: string } { return require('./x') }\nclass A { b(): B<C> { require('./y') } }\nrequire('./z')\n`,
  ],
]
