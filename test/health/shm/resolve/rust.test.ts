import { describe, expect, it } from 'vitest'
import { resolved, type SmallSource, targets } from './small-tree.ts'

const cargo = (name: string, folder: string) => ({ name, folder, kind: 'cargo' as const })
const manifest = (name: string, more = '') => `[package]\nname = "${name}"\nedition = "2021"\n${more}`

describe('mod', () => {
  it('leads to x.rs or x/mod.rs, beside roots and mod.rs and below other files', () => {
    const sources = {
      'src/lib.rs': ['mod a', 'mod b', 'mod gone', 'mod? gone'],
      'src/a.rs': ['mod c'],
      'src/a/c.rs': [],
      'src/b/mod.rs': ['mod d'],
      'src/b/d.rs': ['mod e'],
      'src/b/d/e/mod.rs': [],
      'src/c.rs': [],
    }
    expect(resolved({ sources, files: { 'Cargo.toml': manifest('x') } })).toMatchObject({
      edges: [
        'src/a.rs -> src/a/c.rs',
        'src/b/d.rs -> src/b/d/e/mod.rs',
        'src/b/mod.rs -> src/b/d.rs',
        'src/lib.rs -> src/a.rs',
        'src/lib.rs -> src/b/mod.rs',
      ],
      unresolved: ['src/lib.rs:3 mod gone'],
    })
  })

  it('follows paths and inline modules', () => {
    const lib = {
      imports: [
        'mod a = sys/unix.rs',
        'mod@i b',
        'mod@i c ~ i/other.rs',
        'mod@i d = top.rs',
        'mod@i e in sub',
      ],
      declares: ['i'],
    }
    const sources: Record<string, SmallSource> = {
      'src/lib.rs': lib,
      'src/sys/unix.rs': ['mod beside', 'use super::i::b::X', 'use crate::a::beside::Y'],
      'src/sys/beside.rs': ['use super::super::i'],
      'src/i/b.rs': [],
      'src/i/other.rs': [],
      'src/top.rs': [],
      'src/sub/e.rs': [],
    }
    const files = { 'Cargo.toml': manifest('x') }
    const found = ['src/sys/unix.rs', 'src/i/b.rs', 'src/i/other.rs', 'src/top.rs', 'src/sub/e.rs']
    expect(targets('src/lib.rs', { sources, files })).toEqual(found)
    expect(resolved({ sources, files }).edges.filter(edge => edge.startsWith('src/sys'))).toEqual([
      'src/sys/beside.rs -> src/lib.rs',
      'src/sys/unix.rs -> src/i/b.rs',
      'src/sys/unix.rs -> src/sys/beside.rs',
    ])
  })
})

describe('use', () => {
  const files = { 'Cargo.toml': manifest('x') }
  const base = {
    'src/lib.rs': { imports: ['mod a', 'mod z'], declares: ['inner'] },
    'src/a.rs': ['mod b', 'mod c'],
    'src/a/c.rs': [],
    'src/z.rs': [],
  }

  it('leads to the longest beginning of its path that is a module', () => {
    const imports = [
      'use crate::a::c::Type::Variant',
      'use crate::a',
      'use crate::Thing',
      'use super::c::f',
      'use super::super::z::*',
      'use super::*',
      'use self::super::c',
      'use c::f',
      'use std::fmt',
      'use serde::Serialize',
      'use Colour::*',
      'use crate::inner::T',
      'use super::super::super::z',
      'use ::x::z::f',
    ]
    expect(targets('src/a/b.rs', { sources: { ...base, 'src/a/b.rs': imports }, files })).toEqual([
      'src/a/c.rs',
      'src/a.rs',
      'src/lib.rs',
      'src/a/c.rs',
      'src/z.rs',
      'src/a.rs',
      'src/a/c.rs',
      null,
      null,
      null,
      null,
      'src/lib.rs',
      null,
      'src/z.rs',
    ])
    expect(resolved({ sources: { ...base, 'src/a/b.rs': imports }, files })).toMatchObject({
      external: 3,
      unresolved: [],
    })
  })

  it('starts in the inline module that it stands in, or with a name that another one brings in', () => {
    const b = {
      imports: ['use@t super::d::X', 'use@t::u super::super::super::c', 'use@t super::super::z'],
      declares: ['t', 't::u'],
    }
    const sources = { ...base, 'src/a/b.rs': { ...b, imports: ['mod d', ...b.imports] }, 'src/a/b/d.rs': [] }
    expect(targets('src/a/b.rs', { sources, files })).toEqual([
      'src/a/b/d.rs',
      'src/a/b/d.rs',
      'src/a/c.rs',
      'src/a.rs',
    ])
    const named = {
      ...base,
      'src/a/b.rs': ['use crate::a', 'use a::c::X', 'use c2::X', 'use q::c2', 'use c2::q'],
    }
    const { edges } = resolved({ sources: named, files })
    expect(edges).toContain('src/a/b.rs -> src/a/c.rs')
  })

  it('means a module of the root in the edition of 2015', () => {
    const sources = { ...base, 'src/a/b.rs': ['use z::f', 'use ::a::c::X'] }
    const old = { 'Cargo.toml': '[package]\nname = "x"\n' }
    expect(targets('src/a/b.rs', { sources, files: old })).toEqual(['src/z.rs', 'src/a/c.rs'])
    expect(targets('src/a/b.rs', { sources, files })).toEqual([null, null])
  })
})

describe('crates', () => {
  it('are found by name, own name of the library, and rename; programs use their own library', () => {
    const files = {
      'Cargo.toml':
        '[workspace]\nmembers = ["*"]\n[workspace.dependencies]\nfar = { package = "my-util", path = "util" }\n',
      'app/Cargo.toml': manifest(
        'my-app',
        '[dependencies]\nnear = { path = "../core", package = "core-lib" }\n[dependencies.spelt]\npackage = \'my-util\'\n[[bin]]\nname = "tool"\npath = "tools/tool.rs"\n',
      ),
      'core/Cargo.toml': manifest('core-lib', '[lib]\nname = "kernel"\npath = "code/entry.rs"\n'),
      'util/Cargo.toml': manifest('my-util'),
    }
    const imports = [
      'use my_util::deep::f',
      'use kernel::X',
      'use far::X',
      'use spelt::deep',
      'use ::my_util',
      'use my_app::run',
      'mod helper',
    ]
    const sources = {
      'app/src/lib.rs': [],
      'app/src/main.rs': ['use my_app::run', 'use crate::x'],
      'app/tools/tool.rs': imports,
      'app/tools/helper.rs': [],
      'core/code/entry.rs': [],
      'util/src/lib.rs': ['mod deep'],
      'util/src/deep.rs': [],
    }
    const packages = [cargo('my-app', 'app'), cargo('core-lib', 'core'), cargo('my-util', 'util')]
    const deep = 'util/src/deep.rs'
    const [core, util] = ['core/code/entry.rs', 'util/src/lib.rs']
    expect(targets('app/tools/tool.rs', { sources, files, packages })).toEqual([
      deep,
      core,
      util,
      deep,
      util,
      'app/src/lib.rs',
      'app/tools/helper.rs',
    ])
    expect(targets('app/src/main.rs', { sources, files, packages })).toEqual(['app/src/lib.rs', null])
  })

  it('may have the root inside of them, or no manifest, and files that no mod leads to', () => {
    const sources = {
      'lib.rs': ['mod a'],
      'a.rs': ['use crate::b::X', 'use x::a', 'use super::b'],
      'b.rs': ['use super::a::Y'],
      'b/deep/mod.rs': ['use super::super::a'],
    }
    const found = ['a.rs -> b.rs', 'b.rs -> a.rs', 'lib.rs -> a.rs']
    expect(resolved({ sources, files: { 'p/Cargo.toml': manifest('x') }, root: 'p/src' }).edges).toEqual([
      ...found.slice(0, 2),
      'b/deep/mod.rs -> a.rs',
      'lib.rs -> a.rs',
    ])
    expect(resolved({ sources }).edges).toEqual([
      ...found.slice(0, 2),
      'b/deep/mod.rs -> a.rs',
      'lib.rs -> a.rs',
    ])
  })

  it('that declare one another in a circle end', () => {
    const sources = {
      'a.rs': ['mod b = b.rs', 'use super::x'],
      'b.rs': ['mod a = a.rs', 'use super::super::super::x'],
    }
    expect(resolved({ sources }).edges).toEqual(['a.rs -> b.rs', 'b.rs -> a.rs'])
  })
})
