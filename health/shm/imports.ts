/** What source files say that they import, before anybody knows which files are meant. */

/** `type`: gone at run time. `dynamic`: read when it is reached. */
export type ImportKind = 'static' | 'dynamic' | 'type'

/** An import as it is written. */
export interface FoundImport {
  /**
   * What is imported, in the words of its language, so that a resolver needs nothing else.
   *
   * JS/TS: `./a.ts`.
   *
   * Python: `a.b`, `..a` and, for `from a import b`, `a:b` (the part behind the colon may be a module or a name in it, `*`
   * for all).
   *
   * Go: `example.com/m/p`; `C` for cgo, and what the comment before it includes as C writes it, `"a.h"`.
   *
   * C/C++: `"a.h"` or `<a.h>`, with their signs.
   *
   * Rust: `use PATH` or `mod NAME`, and `use@M PATH` or `mod@M NAME` where it is written inside inline modules of the file,
   * M being their path from the file's own module (`a::b`). One space, no `r#`, no comments.
   *
   * `use PATH`: one for each leaf of a `use` tree, written out, without `as`, a final `self` cut: `use crate::a::B`, `use a::*`
   * (all of a), `use ::a` (a leading `::` is kept). `use@a::b super::c` stands in `mod a { mod b { … } }`, so that its `super`
   * is `a`. `extern crate x` is `use ::x`. The last parts of a path may be types, variants or functions and not modules.
   *
   * `mod NAME`: a module in a file of its own. Let F be the folder of the file, and D the folder of the files of its child
   * modules: F for a crate's root, `mod.rs` and files that a `#[path]` leads to, else F/‹file name without .rs›.
   * `mod a`: `a.rs` or `a/mod.rs` in D; `mod@p::q a`: in D/p/q. A `#[path]` adds one of three:
   * `mod a = x.rs`, `mod@p a = x.rs`: that file, from F; `mod@p a ~ p/x.rs`: that file, from D;
   * `mod@p a in x`: `a.rs` or `a/mod.rs` in the folder x, from F.
   * `mod?` instead of `mod` where a `cfg_attr` chooses among several files, each told: one that is not there is no mistake.
   */
  specifier: string
  /** From 1. */
  line: number
  kind: ImportKind
}

/** What one file told. */
export interface Extraction {
  imports: FoundImport[]
  /** Line feeds. */
  lines: number
  /** SHA-256 of the content, hex. */
  hash: string
  /** What could not be read as its language; null: all could. */
  trouble: { code: 'BINARY_FILE' | 'INVALID_UTF8' | 'SYNTAX_ERROR' | 'TOO_LARGE'; message: string } | null
  /** Rust: the modules that are written inside this file (`mod a { … }`), as paths (`a`, `a::b`); Go: its package clause. */
  declares: string[]
  /** Its first lines say that a program wrote it: it is no file of the project. */
  generated?: boolean
}
