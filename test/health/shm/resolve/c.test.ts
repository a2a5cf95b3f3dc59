import { expect, it } from 'vitest'
import { resolved, targets } from './small-tree.ts'

it('searches beside the file, in the given folders, and in those above and their include folders', () => {
  const sources = {
    'src/net/a.c': [
      '"b.h"',
      '"../up.h"',
      '"lib/x.h"',
      '"given.h"',
      '"top.h"',
      '<lib/x.h>',
      '<b.h>',
      '"./b.h"',
      '"src/up.h"',
      '"in.h"',
    ],
    'src/net/b.h': [],
    'src/up.h': [],
    'include/lib/x.h': [],
    'src/net/include/in.h': [],
    'include/in.h': [],
    'extra/given.h': [],
    'include/given.h': [],
    'top.h': [],
  }
  expect(targets('src/net/a.c', { sources, includeDirs: ['./extra/', '../outside'] })).toEqual([
    'src/net/b.h',
    'src/up.h',
    'include/lib/x.h',
    'extra/given.h',
    'top.h',
    'include/lib/x.h',
    'src/net/b.h',
    'src/net/b.h',
    'src/up.h',
    'src/net/include/in.h',
  ])
})

it('takes a header anywhere if only one path ends so, those in searched folders first', () => {
  const sources = {
    'app/a.cpp': ['"one/x.hpp"', '"two.h"', '"three.h"', '<one/x.hpp>', '"../deep/one/x.hpp"', '"xtwo.h"'],
    'lib/deep/one/x.hpp': [],
    'lib/a/two.h': [],
    'lib/b/two.h': [],
    'lib/a/three.h': [],
    'lib/b/include/three.h': [],
    'lib/c/prefixtwo.h': [],
  }
  const found = [
    'lib/deep/one/x.hpp',
    null,
    'lib/b/include/three.h',
    'lib/deep/one/x.hpp',
    'lib/deep/one/x.hpp',
    null,
  ]
  expect(targets('app/a.cpp', { sources })).toEqual(found)
  expect(resolved({ sources }).unresolved).toEqual(['app/a.cpp:2 "two.h"', 'app/a.cpp:6 "xtwo.h"'])
})

it('takes headers of the system for those of the tree only where it is told to search for them', () => {
  const sources = {
    'compat/pthread.h': [],
    'compat/sys/types.h': [],
    'src/string.h': [],
    'src/a.c': [
      '<string.h>',
      '<pthread.h>',
      '<sys/types.h>',
      '<vector>',
      '"pthread.h"',
      '"string.h"',
      '"stdio.h"',
      '<none.h>',
    ],
  }
  expect(resolved({ sources })).toMatchObject({
    edges: ['src/a.c -> compat/pthread.h', 'src/a.c -> src/string.h'],
    unresolved: [],
    external: 6,
  })
  expect(targets('src/a.c', { sources, includeDirs: ['compat'] }).slice(1, 3)).toEqual([
    'compat/pthread.h',
    'compat/sys/types.h',
  ])
  const libc = { 'include/string.h': [], 'string/strlen.c': ['<string.h>'] }
  expect(targets('string/strlen.c', { sources: libc })).toEqual(['include/string.h'])
})

it('lists headers that are missing, and no other files', () => {
  const sources = {
    'a.c': ['"gone.h"', '"../out.h"', '"table.def"', '"/etc/x.h"', '""', '"a.py"'],
    'a.py': [],
  }
  expect(resolved({ sources })).toMatchObject({
    edges: [],
    unresolved: ['a.c:1 "gone.h"', 'a.c:2 "../out.h"'],
    external: 2,
  })
})
