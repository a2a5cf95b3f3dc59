import { describe, expect, it } from 'vitest'
import { extractRust } from '../../../../health/shm/extract/rust.ts'
import { told } from './told.ts'

/** Specifiers alone. */
function specifiers(source: string): string[] {
  return extractRust(source).imports.map(({ specifier }) => specifier)
}

describe('the use declarations of a Rust file', () => {
  it('are written out leaf by leaf, each with the line of its last name', () => {
    const source = `#!/usr/bin/env run
use crate::a::B;
pub use super::{c, d::{self, E as F, g::*}, r#type,
  h /* no */ :: // no
  I,
};
pub(in crate::x) use self::k as _;
use {l, ::m::n, crate::{o}};
use *; use ::*; use p::{*}; use q::{}; use {{r}}; use größe::t
;`
    expect(told(extractRust(source))).toEqual([
      'use crate::a::B 2',
      'use super::c 3',
      'use super::d 3',
      'use super::d::E 3',
      'use super::d::g::* 3',
      'use super::type 3',
      'use super::h::I 5',
      'use self::k 7',
      'use l 8',
      'use ::m::n 8',
      'use crate::o 8',
      'use * 9',
      'use ::* 9',
      'use p::* 9',
      'use r 9',
      'use größe::t 9',
    ])
  })

  it('count wherever they stand, and say in which modules of the file', () => {
    const source = `mod a { use super::b; mod r#mod { pub use self::c; } use d; }
impl X { fn f() { use e; mod g { use super::h; } { use i; } } }
use j;`
    expect(extractRust(source).declares).toEqual(['a', 'a::mod', 'g'])
    expect(told(extractRust(source))).toEqual([
      'use@a super::b 1',
      'use@a::mod self::c 1',
      'use@a d 1',
      'use e 2',
      'use@g super::h 2',
      'use i 2',
      'use j 3',
    ])
  })

  it('are not what only looks like one', () => {
    const source = `fn f<'a>() -> impl Sized + use<'a, T> { r#use::x; let reuse = 1; a.r#use; use $x; use a b; use a::; }
use c::d as; use {e; use f} use g;`
    expect(specifiers(source)).toEqual(['use g'])
  })

  it('stand beside extern crates, which are told as paths that begin with ::', () => {
    expect(
      specifiers('extern crate a; #[macro_use] pub extern crate r#b as c; extern crate self as d;'),
    ).toEqual(['use ::a', 'use ::b'])
    expect(specifiers('extern "C" { fn f(); } extern fn g() { use a; }')).toEqual(['use a'])
  })
})

describe('strings, characters and comments', () => {
  it('hold no declarations', () => {
    const source = `// use no; \\
/* use no; /* use no; */ use no; */
/// use no;
const A: &str = "use no; \\" use no; \\\\"; use a;
const B: &str = r"use no; \\"; use b;
const C: &str = r##"use no; "# use no; "##; use c;
const D: &[u8] = b"use no; \\""; const E: &[u8] = br#"" use no; "#; const F: &CStr = cr#"" use no;"#; use d;
const G: [char; 4] = ['"', '\\'', '{', '\\u{1F600}']; const H: u8 = b'"'; const I: u8 = b'\\''; use e;
const J: char = '𝄞'; fn f<'a, 'static_>(x: &'a str, y: &'_ str) -> &'static str { 'l: loop { break 'l; } } use f;
const K: &str = concat!("//", 'x', "/*"); use g;`
    expect(told(extractRust(source))).toEqual([
      'use a 4',
      'use b 5',
      'use c 6',
      'use d 7',
      'use e 8',
      'use f 9',
      'use g 10',
    ])
  })
})

describe('macros', () => {
  it('count for nothing in their definitions and uses', () => {
    const source = `macro_rules! a { ($x:path) => { use no; mod no; }; }
macro_rules! b ( ($x:path) => { use no; }; );
pub macro c($x:path) { use no; } macro d { ($x:path) => { use no; } }
fn f() { println!("{}", { use no; 1 }); quote! { use no; }; vec![{ use no; }]; e!(mod no;); }
g!(use no;); ::h::i![use no;];
use a;`
    expect(specifiers(source)).toEqual(['use a'])
  })

  it('that hold items have them told', () => {
    const source = `cfg_if::cfg_if! {
  if #[cfg(unix)] { mod a; pub use a::b; } else if #[cfg(test)] { mod no; } else { #[path = "d.rs"] mod c; }
}
cfg_rt! { pub mod e; mod f { use super::*; } fn g() { h! { use no; } } #[cfg(test)] mod no; }
#[cfg(test)] i! { use no; }
use j;`
    expect(specifiers(source)).toEqual([
      'mod a',
      'use a::b',
      'mod c = d.rs',
      'mod e',
      'use@f super::*',
      'use j',
    ])
  })

  it('are not every ! behind a word', () => {
    const source = `impl !Send for X { fn f() -> ! { use a; if !{ use b; true } { use c; } return !(|| { use d; 1 })(); } }
fn g() { x != { use e; 1 }; while ! (y) { use f; } }`
    expect(specifiers(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map(name => `use ${name}`))
  })
})

describe('what only a build with tests has', () => {
  it('is left out with all that is in it', () => {
    const source = `#[cfg(test)] mod tests { use super::*; mod no; }
#[cfg(test)] mod no; #[cfg(test)] use no::{a, b}; #[cfg(test)] extern crate no;
#[cfg(test)] #[allow(x)] /// y
pub(crate) fn a<A, B: C<D, E>>(x: [u8; 2]) -> Result<A, B> where A: F, B: G { use no; }
#[cfg(test)] impl<A, B> C for D { fn f() { use no; } }
#[test] fn b() { use no; } #[tokio::test(flavor = "x")] async fn c(#[case] x: u8) { use no; }
#[cfg(test)] const D: E = { use no; 1 }; #[cfg(test)] m!{ use no; }
use yes;`
    expect(extractRust(source)).toEqual({
      imports: [{ specifier: 'use yes', line: 8, kind: 'static' }],
      declares: [],
    })
  })

  it('ends where its item ends', () => {
    const source = `struct S { #[cfg(test)] a: u32, b: fn() } fn f() { use a; }
enum E { #[cfg(test)] A, B } mod b { #[cfg(test)] } fn g() { use c; #[cfg(test)] x(); use d; }
fn h(#[cfg(test)] x: u8, y: u8) { use e; #[cfg(test)] { use no; } use f; }
#[cfg(test)] struct T; mod g;`
    expect(specifiers(source)).toEqual(['use a', 'use c', 'use d', 'use e', 'use f', 'mod g'])
  })

  it('is what a cfg says that never holds without tests, and nothing else', () => {
    const never = [
      'cfg(test)',
      'cfg(all(test, unix))',
      'cfg(all(unix, all(feature = "a,b", test)))',
      'cfg(any(test, all(test, x)))',
      'cfg(not(not(test)))',
      'cfg( /* ( */ test )',
      'cfg(any())',
      'cfg(false)',
      'cfg(not(any(not(test), x)))',
      'test',
      'a::test',
    ]
    const perhaps = [
      'cfg(not(test))',
      'cfg(any(test, unix))',
      'cfg(feature = "test")',
      'cfg(feature = r#"test"#)',
      'cfg(all())',
      'cfg(true)',
      'cfg(all(not(test), x))',
      'cfg(not(all(test, x)))',
      'cfg(version("1.0"))',
      'cfg(tests)',
      'cfg(',
      'cfg(all(',
      'cfg_attr(test, x)',
      'doc = "cfg(test)"',
      'doc = r#""] cfg(test)"#',
      'test_case(1)',
      'x(test)',
    ]
    const isRead = (attribute: string) => specifiers(`#[${attribute}] use a;`).length === 1
    expect(never.filter(isRead)).toEqual([])
    // Two of them have no end; the rest of the file is theirs.
    expect(perhaps.filter(attribute => !isRead(attribute))).toEqual([])
  })

  it('may be all that an attribute stands in', () => {
    expect(specifiers('#![cfg(test)] use no; mod no { use no; }')).toEqual([])
    expect(specifiers('mod a { #![cfg(test)] use no; } use b; #![allow(x)] use c;')).toEqual([
      'use b',
      'use c',
    ])
  })
})

describe('modules in files of their own', () => {
  it('are told with the modules of the file that they stand in', () => {
    const source = 'mod a; pub(crate) mod r#b ; mod c { mod d; mod e { pub mod f; } } mod g /* x */ ; mod h'
    expect(extractRust(source).declares).toEqual(['c', 'c::e'])
    expect(specifiers(source)).toEqual(['mod a', 'mod b', 'mod@c d', 'mod@c::e f', 'mod g'])
  })

  it('are told with the file that #[path] names', () => {
    const source = `#[path = "x/a.rs"] mod a; #[allow(x)] #[path = r#"../b.rs"#] #[macro_use] pub mod b;
mod c { #[path = "d.rs"] mod d; mod e { #[path = "f.rs"] mod f; } }
#[path = "g"] mod g { mod h; #[path = "i.rs"] mod i; mod j { mod k; } #[path = "/l"] mod l { mod m; } }
mod n { #[path = "o"] mod p { mod q; } }
#[path = "\\"s\\".rs"] mod s; #[path] mod t; #[path = x] mod u; mod v;`
    expect(specifiers(source)).toEqual([
      'mod a = x/a.rs',
      'mod b = ../b.rs',
      'mod@c d ~ c/d.rs',
      'mod@c::e f ~ c/e/f.rs',
      'mod@g h in g',
      'mod@g i = g/i.rs',
      'mod@g::j k in g/j',
      'mod@g::l m in /l',
      'mod@n::p q ~ n/o/q.rs',
      'mod s = "s".rs',
      'mod t',
      'mod u',
      'mod v',
    ])
  })

  it('are told once for each file that a cfg_attr may choose', () => {
    const source = `#[cfg_attr(unix, path = "a_unix.rs")] #[cfg_attr(all(windows, x), path = "a_windows.rs")] mod a;
#[cfg_attr(test, path = "no.rs")] #[cfg_attr(x, allow(y))] mod b; mod c { #[cfg_attr(x, path = "e.rs")] mod d; }`
    expect(told(extractRust(source))).toEqual([
      'mod? a 1',
      'mod? a = a_unix.rs 1',
      'mod? a = a_windows.rs 1',
      'mod b 2',
      'mod?@c d 2',
      'mod?@c d ~ c/e.rs 2',
    ])
  })
})
