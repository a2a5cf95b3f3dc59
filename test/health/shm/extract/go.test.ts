import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extractGo } from '../../../../health/shm/extract/go.ts'
import { rounds } from '../../../support/rounds.ts'
import { flat, soup, told } from './told.ts'

describe('the imports of a Go file', () => {
  it('are told one by one, with their lines, whatever name they get', () => {
    const source = `// Package a does nothing.
package a // import "no.example/vanity"

import "fmt"
import (
	"example.com/m/p"; q "example.com/m/q"
	. \`example.com/m/r\`
	_ "example.com/m/s" // "no"
	/* "no" */ größe "example.com/m/t"
)
import ()
import u2 "example.com/m/u"; import
	"example.com/m/v"

var s = 1
import "no"
`
    expect(extractGo(source).declares).toEqual(['a'])
    expect(told(extractGo(source))).toEqual([
      'fmt 4',
      'example.com/m/p 6',
      'example.com/m/q 6',
      'example.com/m/r 7',
      'example.com/m/s 8',
      'example.com/m/t 9',
      'example.com/m/u 12',
      'example.com/m/v 13',
    ])
  })

  it('are told in files with CRLF, a byte order mark and build constraints', () => {
    const source = '\ufeff//go:build linux\r\n\r\npackage a\r\nimport (\r\n\t"b"\r\n\t"c"\r\n)\r\n'
    expect(told(extractGo(source))).toEqual(['b 5', 'c 6'])
  })

  it('are those before the first other declaration, and none where there is no package', () => {
    expect(told(extractGo('package a\nfunc f() { s := `\nimport "no"` }\nimport "no"'))).toEqual([])
    expect(extractGo('import "no"')).toEqual({ imports: [], declares: [] })
    expect(extractGo('')).toEqual({ imports: [], declares: [] })
    expect(extractGo('package')).toEqual({ imports: [], declares: [] })
  })

  it('are told up to where the text is no Go', () => {
    expect(told(extractGo('package a\nimport "b"\nimport ("c"\n%\n"d")'))).toEqual(['b 2', 'c 3'])
    expect(told(extractGo('package a\nimport "b\nimport "c"'))).toEqual([])
    expect(told(extractGo('package a\nimport ("b" "c"'))).toEqual(['b 2', 'c 2'])
  })
})

describe('the preamble of cgo', () => {
  it('is the comment directly above import "C"', () => {
    const source = `package a
/*
#cgo CFLAGS: -I.
#include "a.h"
// #include "no.h"
*/
// #include <stdio.h>
import "C"
import "fmt"`
    expect(told(extractGo(source))).toEqual(['"a.h" 4', '<stdio.h> 7', 'C 8', 'fmt 9'])
  })

  it('may stand above its line in a group, or above a group of it alone', () => {
    const inside = 'package a\nimport (\n\t"fmt" // #include "no.h"\n\t// #include "a.h"\n\t"C"\n)'
    expect(told(extractGo(inside))).toEqual(['fmt 3', '"a.h" 4', 'C 5'])
    expect(told(extractGo('package a\n// #include "a.h"\nimport (\n"C"\n)'))).toEqual(['"a.h" 2', 'C 4'])
  })

  it('is no comment above an empty line, on another line of code, or above another import', () => {
    expect(told(extractGo('package a\n// #include "no.h"\n\nimport "C"'))).toEqual(['C 4'])
    expect(told(extractGo('package a // #include "no.h"\nimport "C"'))).toEqual(['C 2'])
    expect(told(extractGo('package a\n// #include "no.h"\nimport "b"\nimport "C"'))).toEqual(['b 3', 'C 4'])
  })
})

describe('reading Go', () => {
  it('finds the same whatever stands in comments', () => {
    const text = soup(['import "no"', 'package no', '"C"']).map(one => one.replaceAll('*/', ''))
    fc.assert(
      fc.property(text, text, (block, line) => {
        const source = (one: string, other: string) =>
          `/* ${one} */ package /**/ a\n//${other}\nimport /*${one}*/ (\n"b" //${other}\n/*${one}*/ c "d"\n)`
        const feeds = (one: string) => one.replace(/[^\n]/g, '')
        const plain = line.replaceAll('\n', '')
        expect(extractGo(source(block, plain))).toEqual(extractGo(source(feeds(block), '')))
      }),
    )
  })

  it('never throws, and tells places that there are', () => {
    fc.assert(
      fc.property(soup(['import', 'package a\n', '"C"', 'import (', '// #include "x"\n']), source => {
        const text = `package a\n${source}`
        for (const { specifier, line } of extractGo(text).imports) {
          expect(text.split('\n')[line - 1]).toContain(specifier.split('\n')[0])
        }
      }),
    )
  })

  // What takes the square of the length would not come to an end here.
  it('takes time in proportion to the length', () => {
    const million = rounds(2 ** 20, 16)
    for (const piece of ['/*', '//\n', '"', '`', '(', ';', '\n', 'a ', '"a";', '/**/', '// #include "a"\n']) {
      const { imports } = extractGo(
        flat(`package a\nimport "b"\nimport (${piece.repeat(million / piece.length)}`),
      )
      expect(imports[0]).toEqual({ specifier: 'b', line: 2, kind: 'static' })
    }
    const comments = `${'/**/\n'.repeat(million)}// #include "a.h"\n`
    expect(told(extractGo(flat(`package a\n${comments}import "C"`)))).toEqual([
      `"a.h" ${million + 2}`,
      `C ${million + 3}`,
    ])
  })
})
