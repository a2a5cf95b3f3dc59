/** Files that a careless reader of imports gets wrong, and that are right in their language. */

const { raw } = String

export const AWKWARD_RUST = [
  raw`//! use no;
#![allow(dead_code)]
use std::{collections::{hash_map::{self, Entry}, HashMap as Map}, io::{self, Read as _}, fmt::*};
pub(in crate::a) use crate::a::{b, c as d};
use ::serde::{Serialize};
use super::super::x; use self::y::{self as z};
extern crate alloc; #[macro_use] extern crate log as logging; extern crate self as me;
mod a; pub mod r#type; mod b { use super::*; pub(crate) mod c { use super::super::q; mod deep; } fn f() { use in_f::g; } }
fn main() { use std::env; let s = "use no::a;"; { use block::b; } match s { "mod no;" => {} _ => { use arm::c; } } }`,
  raw`use a; /* use no; /* use no; */ use no; */ use b; // use no;
const A: &str = r#"use no; "quoted" use no;"#; const B: &str = "\" use no; \\"; use c;
const C: char = '"'; const D: char = '\''; const E: u8 = b'"'; const F: &[u8] = b"\"use no;"; use d;
const G: &[u8] = br##"use no; "# use no;"##; fn f<'a>(x: &'a str) -> &'static str { 'outer: loop { break 'outer; } x } use e;
const H: &str = "use no;
mod no;"; use f; const I: [char; 3] = ['{', '}', '\u{7d}']; mod g;`,
  raw`#[cfg(test)] mod tests { use super::*; mod inner; }
#[cfg(all(test, feature = "x"))] use no::a;
#[cfg(any(test, feature = "x"))] use yes::a;
#[cfg(not(test))] mod yes;
#[cfg(test)] fn helper<A, B: Fn(u8) -> [u8; 2]>(a: A, b: B) -> Result<A, B> where A: Clone, B: Copy { use no::b; todo }
#[test] fn works() { use no::c; }
#[tokio::test(flavor = "multi_thread")] async fn works_too() { use no::d; }
#[cfg(unix)] mod unix { #![cfg(test)] use no::e; }
struct S { #[cfg(test)] a: u32, b: u32 } impl S { #[cfg(test)] fn t() { use no::f; } fn u() { use yes::b; } }
enum E { #[cfg(test)] A, B { c: u8 } } fn v() { use yes::c; }
#[doc = "] #[cfg(test)]"] mod documented; #[cfg_attr(test, allow(x))] mod allowed;`,
  raw`macro_rules! m { ($($x:ident),*) => { $(use no::$x;)* mod no; }; }
fn f() -> ! { if !{ use a::b; true } { println!("{}", { use no::c; 1 }); } loop {} }
impl !Send for X {}
use d::{e,
    f, // use no;
    g::{h,
        i},
};`,
]

export const AWKWARD_GO = [
  raw`// Package a: import "no"
package a // import "no"

/* import "no" */
import "fmt"
import (
	"os"; str "strings"
	. "math" // "no"
	_ "embed"
	/* "no" */ "io"

	größe "example.com/größe"
)
import ()

const s = "import \"no\"" + ~
import "no"
~
`,
  raw`//go:build linux

package main

/*
#include <stdio.h>
*/
import "C"
import ~unsafe~

func main() { C.puts(nil) }
`,
].map(source => source.replaceAll('~', '`'))

export const AWKWARD_C = [
  raw`#ifndef A_H
#define A_H
/* #include "no.h" */ // #include "no.h"
#  include <a.h>
#include "dir/b.hpp" // why
#include/* x */"c.h"
const char *s = "#include \"no.h\"", *t = "\
#include <no.h>";
// continued \
#include "no.h"
#if 0
#include "no.h"
#if 1
#include "no.h"
#endif
#else
#include "d.h"
#endif
#if 1
#include "e.h"
#else
#include "no.h"
#endif
#ifdef X
#include <f.h>
#elif defined(Y)
#include <g.h>
#else
#include MACRO
#endif
#endif`,
  raw`#include <vector>
namespace a {
auto r = R"(
#include "no.h"
)"; auto u = u8R"x(
)"
#include "no.h"
)x";
int million = 1'000'000; char q = '"', b = '\\', e = '\'';
#include "inside.h"
enum E {
#include "list.def"
};
struct S {
#include "fields.inc"
};
}
#define TEXT \
  "#include <no.h>"
#include "last.h"
`,
]
