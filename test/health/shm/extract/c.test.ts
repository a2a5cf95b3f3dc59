import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractC } from '../../../../health/shm/extract/c.ts'
import { rounds } from '../../../support/rounds.ts'
import { flat, soup, told } from './told.ts'

describe('the headers that a C file includes', () => {
  it('are told with their signs and lines', () => {
    const source = `#include <stdio.h>
  #  include "a/b.h" // "no.h"
#include"c.h"
#/* one */include/* two
lines */<d.h>
#import "e.h"
#include <f/f.hpp>/*
#include "no.h"*/
#include "dir\\g.h"
#include <a//b.h>
`
    expect(extractC(source).declares).toEqual([])
    expect(told(extractC(source))).toEqual([
      '<stdio.h> 1',
      '"a/b.h" 2',
      '"c.h" 3',
      '<d.h> 4',
      '"e.h" 6',
      '<f/f.hpp> 7',
      '"dir\\g.h" 9',
      '<a//b.h> 10',
    ])
  })

  it('are read over lines that a backslash joins', () => {
    const source =
      '#\\\n inc\\\nlude "a\\\n.h"\n#include \\ \r\n <b.h>\n// one \\\n#include "no.h"\n#include "c.h"'
    expect(told(extractC(source))).toEqual(['"a.h" 1', '<b.h> 5', '"c.h" 9'])
  })

  it('are those whose name is written, and in a directive', () => {
    const source = `#include MACRO
#include MACRO("no.h")
#include_next <no.h>
#include ""
#include <>
#include "no.h
#include <no.h
#define A #include "no.h"
#define B \\
#include "no.h"
int a; #include "no.h"
#if __has_include(<no.h>) || __has_include("no.h")
#pragma include "no.h"
#endif
include "no.h"
#include "yes.h"`
    expect(told(extractC(source))).toEqual(['"yes.h" 16'])
  })

  it('are not those in comments, strings and raw strings', () => {
    const source = `/*
#include "no.h"
*/ const char *a = "\\
#include \\"no.h\\" /* ";
char b = '"', c = '\\'', *d = "\\"//";
#include "one.h"
auto e = R"(
#include "no.h"
)" u8R"x(
)"
#include "no.h"
)x"; int f = 1'000'000, g = 0xFF'a'b;
#include "two.h"
auto h = FOOR"(
#include "three.h"
auto i = LR"" "
#include "four.h"
#error don't
#include "five.h"`
    expect(told(extractC(source))).toEqual([
      '"one.h" 6',
      '"two.h" 13',
      '"three.h" 15',
      '"four.h" 17',
      '"five.h" 19',
    ])
  })

  it('are told in files with CRLF and a byte order mark', () => {
    expect(
      told(extractC('\ufeff#include "a.h"\r\n#if 0\r\n#include "no.h"\r\n#endif\r\n#include <b.h>\r\n')),
    ).toEqual(['"a.h" 1', '<b.h> 5'])
  })
})

describe('a condition', () => {
  const included = (source: string) => extractC(source).imports.map(({ specifier }) => specifier.slice(1, -1))

  it('that is written as a bare number leaves out one branch', () => {
    expect(included('#if 0\n#include "no"\n#else\n#include "a"\n#endif\n#include "b"')).toEqual(['a', 'b'])
    expect(included('#if 1 // so\n#include "a"\n#else\n#include "no"\n#endif\n#include "b"')).toEqual([
      'a',
      'b',
    ])
    expect(
      included(
        '#if /* so */ false\n#include "no"\n#elif X\n#include "a"\n#elif 1\n#include "b"\n#else\n#include "no"\n#endif',
      ),
    ).toEqual(['a', 'b'])
    expect(included('#if X\n#include "a"\n#elif 0\n#include "no"\n#elifdef Y\n#include "b"\n#endif')).toEqual(
      ['a', 'b'],
    )
  })

  it('that is anything else leaves out nothing', () => {
    for (const condition of [
      '#if 0 || X',
      '#if 00',
      '#if !1',
      '#if 1 && 0',
      '#ifdef X',
      '#ifndef X',
      '#if X',
      '#if',
    ]) {
      expect(included(`${condition}\n#include "a"\n#else\n#include "b"\n#endif`)).toEqual(['a', 'b'])
    }
  })

  it('holds for what is nested in it', () => {
    const source = `#if 0
#if 1
#include "no"
#else
#include "no"
#endif
#ifdef X
#include "no"
#elif 1
#include "no"
#endif
isn't " a /* comment */
#endif
#include "a"
#endif
#include "b"
#else
#include "c"`
    expect(included(source)).toEqual(['a', 'b', 'c'])
  })

  it('is right in every nest', () => {
    type Nest = { condition: 0 | 1 | 2; body: Nest[]; otherwise: Nest[] | null } | string
    const nest = fc.letrec<{ nest: Nest; nests: Nest[] }>(tie => ({
      nests: fc.array(tie('nest'), { maxLength: 4 }),
      nest: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('a', 'b', 'c'),
        fc.record({
          condition: fc.constantFrom(0, 1, 2),
          body: tie('nests'),
          otherwise: fc.option(tie('nests')),
        }),
      ),
    })).nests
    const written = (nests: Nest[]): string =>
      nests
        .map(one => {
          if (typeof one === 'string') return `#include "${one}"\n`
          const otherwise = one.otherwise === null ? '' : `#else\n${written(one.otherwise)}`
          return `#if ${['0', '1', 'X'][one.condition]}\n${written(one.body)}${otherwise}#endif\n`
        })
        .join('')
    const held = (nests: Nest[]): string[] =>
      nests.flatMap(one => {
        if (typeof one === 'string') return [one]
        const body = one.condition === 0 ? [] : held(one.body)
        return [...body, ...(one.condition === 1 ? [] : held(one.otherwise ?? []))]
      })
    fc.assert(
      fc.property(nest, nests => {
        expect(included(written(nests))).toEqual(held(nests))
      }),
    )
  })
})

describe('imports of C++20', () => {
  it('are told where they name a header', () => {
    const source = `module;
import <a.h>;
export import "b.h" ;
  import/**/<c.h>;
import std.core;
import :part;
import <no.h>
int importer; import <no.h>;
export void f();
export important <no.h>;
exports import <no.h>;`
    expect(told(extractC(source))).toEqual(['<a.h> 2', '"b.h" 3', '<c.h> 4'])
  })
})

describe('reading C', () => {
  it('finds the same whatever stands in comments and strings', () => {
    const words = [
      '#include "no.h"\n',
      '\n#include <no.h>',
      '#if 0\n',
      '\n#endif\n',
      'R"(',
      ')"',
      '\\\n',
      'import <no.h>;',
    ]
    const block = soup(words).map(one => one.replaceAll('*/', ''))
    const raw = soup(words).map(one => one.replaceAll(')x"', ''))
    const line = soup(words).map(one => one.replaceAll('\n', '').replace(/[\\\s]+$/, ''))
    const quoted = soup(words).map(one =>
      one.replace(/[\\"\n]/g, sign => (sign === '\n' ? '\\n' : `\\${sign}`)),
    )
    fc.assert(
      fc.property(block, raw, line, quoted, (...texts) => {
        const source = ([one, two, three, four]: string[]) =>
          `#include "a.h" /*${one}*/\nauto s = R"x(${two})x";//${three}\n#include <b.h> //${three}\nchar *t = "${four}";/*${one}*/\n#include "c.h"`
        const empty = texts.map(text => text.replace(/[^\n]/g, ''))
        expect(extractC(source(texts))).toEqual(extractC(source([...empty.slice(0, 3), ''])))
        expect(extractC(source(texts)).imports).toHaveLength(3)
      }),
    )
  })

  it('never throws, and tells places that there are', () => {
    fc.assert(
      fc.property(
        soup([
          '#include',
          '# include ',
          'import ',
          '#if 0\n',
          '#endif\n',
          'R"',
          '\\\n',
          '#else\n',
          '<a>',
          '"b"',
        ]),
        source => {
          const lines = source.split('\n')
          for (const { specifier, line } of extractC(source).imports) {
            expect(specifier).toMatch(/^(<[^>\n]+>|"[^"\n]+")$/)
            expect(
              lines
                .slice(line - 1)
                .join('')
                .replace(/\\[ \t\v\f\r]*/g, ''),
            ).toContain(specifier.replace(/\\[ \t\v\f\r]*/g, ''))
          }
        },
      ),
    )
  })

  // What takes the square of the length would not come to an end here.
  it('takes time in proportion to the length', () => {
    const pieces = [
      '/*',
      '*/',
      '//',
      '"',
      "'",
      '\\',
      '\\ ',
      '\\\n',
      'R"a(',
      '#if 0\n',
      '#else\n',
      '#include <',
      '#include "\\\n',
      "1'",
      '# ',
      'import ',
      ' ',
      '\n',
      'a',
      '{',
    ]
    for (const piece of pieces) {
      const text = `#include "a.h"\n${piece.repeat(rounds(2 ** 20, 16) / piece.length)}include`
      expect(extractC(flat(text)).imports).toContainEqual({ specifier: '"a.h"', line: 1, kind: 'static' })
    }
    const many = extractC(flat('#include <a>\n'.repeat(2 ** 19))).imports
    expect([many.length, many.at(-1)?.line]).toEqual([2 ** 19, 2 ** 19])
  })
})
