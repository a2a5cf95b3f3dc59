import type { Extraction, FoundImport } from '../imports.ts'
import { LineCounter } from './line-counter.ts'
import { type Attribute, readAttribute } from './rust-attributes.ts'
import { type InlineModule, inlineModule, modSpecifiers } from './rust-modules.ts'
import {
  apostropheEnd,
  commentEnd,
  KINDS,
  lastWord,
  nameAt,
  rawStringEnd,
  SPACE,
  skipSpace,
  stringEnd,
  WORD,
  wordBefore,
  wordEnd,
} from './rust-text.ts'
import { type Allowance, readUse, type UseLeaf } from './rust-use.ts'

/**
 * The `use` declarations, `extern crate`s and modules in files of their own that a Rust file has, as `FoundImport` writes them, and the modules that
 * are written inside it.
 *
 * Left out is what a build without tests does not have: items under `#[cfg(test)]`, or any `cfg` that never holds without `test`, and functions
 * under `#[test]`; so is what stands in definitions and uses of macros, but for a use with braces where items stand (`cfg_if! { … }`), whose
 * declarations count. Every other `cfg` is taken to hold. Paths in expressions (`crate::a::b()`) are not imports. What is told has at most about
 * 16 characters for each one of the source, and 64 Ki more: a file made of prefixes and leaves alone could tell the square of its length.
 * Nothing is thrown, whatever the text is. Takes time in proportion to the length.
 */
export function extractRust(source: string): Pick<Extraction, 'imports' | 'declares'> {
  return new RustFile(source).read()
}

/** A file that is being read. */
class RustFile {
  readonly #text: string
  readonly #lines: LineCounter
  readonly #allowance: Allowance
  readonly #imports: FoundImport[] = []
  readonly #declares: string[] = []
  readonly #modules: InlineModule[] = []
  /** Of each bracket that is open what is known about what stands in it: the bits below. */
  readonly #open: number[] = []
  /** Of what stands here. */
  #here = ITEMS
  /** The attributes of what comes next, and how many brackets are open around them. */
  #attributes: Attribute[] = []
  #attributesAt = 0
  /** An item is being read, or the definition of a macro, that is left out. */
  #leavingOut = false
  /** A keyword of an item came behind its attributes, so that a comma does not end it. */
  #isItem = false
  /** The kind of the bracket that comes next, where it is not what brackets usually are. */
  #next: number | null = null

  constructor(text: string) {
    this.#text = text
    this.#lines = new LineCounter(text)
    this.#allowance = { left: text.length * 16 + 65_536 }
  }

  read(): Pick<Extraction, 'imports' | 'declares'> {
    const text = this.#text
    let at = 0
    // A first line for the shell.
    if (text.startsWith('#!') && text[skipSpace(text, 2)] !== '[') at = Math.max(text.indexOf('\n'), 2)
    // What comes behind the last word that could begin a declaration is none.
    const stop = lastWord(text, DECLARING)
    while (at <= stop) {
      const kind = KINDS[text.charCodeAt(at)]
      if (kind === SPACE) at++
      else at = kind === WORD ? this.#word(at) : this.#sign(at)
    }
    return { imports: this.#imports, declares: this.#declares }
  }

  /** Reads the token here, which is no word; returns where the next one begins, or white space before it. */
  #sign(at: number): number {
    const text = this.#text
    switch (text.charCodeAt(at)) {
      case SLASH: {
        const end = commentEnd(text, at)
        return end < 0 ? at + 1 : end
      }
      case QUOTE:
        return stringEnd(text, at)
      case APOSTROPHE:
        return apostropheEnd(text, at)
      case HASH:
        return this.#attribute(at)
      case EXCLAMATION:
        return this.#macroUse(at)
      case BRACE:
        this.#openBracket(this.#here & LEFT_OUT)
        break
      case PARENTHESIS:
      case SQUARE:
        this.#openBracket((this.#here & LEFT_OUT) | ROUND)
        break
      case CLOSING_BRACE:
        while ((this.#here & ROUND) !== 0 && this.#open.length > 0) this.#close()
        this.#close()
        break
      case CLOSING_PARENTHESIS:
      case CLOSING_SQUARE:
        if ((this.#here & ROUND) !== 0) this.#close()
        break
      case SEMICOLON:
        if (this.#open.length === this.#attributesAt) this.#itemEnds()
        break
      case COMMA:
        if (this.#open.length === this.#attributesAt && !this.#isItem) this.#itemEnds()
        break
    }
    return at + 1
  }

  #word(start: number): number {
    const text = this.#text
    const end = wordEnd(text, start)
    const length = end - start
    if (this.#leavingOut && !this.#isItem) this.#isItem = ITEM_WORDS.has(text.slice(start, end))
    if (length <= 2) {
      const next = text.charCodeAt(end)
      if ((next !== QUOTE && next !== HASH) || !RAW.has(text.slice(start, end))) return end
      const raw = rawStringEnd(text, end)
      // What is no raw string is a raw identifier: no keyword.
      return raw < 0 ? wordEnd(text, end + 1) : raw
    }
    if (length > MAX_KEYWORD || (this.#here & LEFT_OUT) !== 0) return end
    switch (text.charCodeAt(start)) {
      case SMALL_U:
        if (length === 3 && text.startsWith('use', start)) return this.#use(end)
        break
      case SMALL_M:
        if (length === 3 && text.startsWith('mod', start)) return this.#mod(start, end)
        if (length === 5 && text.startsWith('macro', start)) return this.#macroItem(end)
        break
      case SMALL_E:
        if (length === 6 && text.startsWith('extern', start)) return this.#extern(end)
        break
    }
    return end
  }

  #use(behind: number): number {
    const leaves: UseLeaf[] = []
    const end = readUse(this.#text, behind, leaves, this.#allowance)
    if (this.#text[end - 1] !== ';') return end
    if (!this.#leavingOut) for (const { path, at } of leaves) this.#tellUse(path, at)
    if (this.#open.length === this.#attributesAt) this.#itemEnds()
    return end
  }

  #tellUse(path: string, at: number): void {
    const inside = this.#modules.at(-1)
    if (inside === undefined) this.#tell(`use ${path}`, at)
    else this.#tell(`use@${inside.path} ${path}`, at, inside.path.length)
  }

  #tell(specifier: string, at: number, cost = 0): void {
    if (this.#isTooMuch(cost)) return
    this.#imports.push({ specifier, line: this.#lines.lineAt(at), kind: 'static' })
  }

  /** Takes this from the allowance, if so much is left. */
  #isTooMuch(cost: number): boolean {
    if (this.#allowance.left < cost) return true
    this.#allowance.left -= cost
    return false
  }

  #extern(behind: number): number {
    const text = this.#text
    const crate = skipSpace(text, behind)
    const end = wordEnd(text, crate)
    this.#isItem = true
    if (end - crate !== 5 || !text.startsWith('crate', crate)) return behind
    const name = nameAt(text, skipSpace(text, end))
    if (name.name === '' || name.name === 'self' || this.#leavingOut) return name.end
    this.#tellUse(`::${name.name}`, name.end)
    return name.end
  }

  #mod(start: number, behind: number): number {
    const text = this.#text
    const { name, end } = nameAt(text, skipSpace(text, behind))
    const at = skipSpace(text, end)
    const sign = text[at]
    if (name === '' || (sign !== ';' && sign !== '{')) return end
    if (this.#leavingOut) {
      this.#isItem = true
      return at
    }
    const inside = this.#modules.at(-1) ?? null
    if (sign === ';') {
      for (const one of modSpecifiers(inside, name, this.#attributes)) this.#tell(one, start, one.length)
      return at
    }
    const module = inlineModule(inside, name, this.#attributes)
    this.#modules.push(module)
    if (!this.#isTooMuch(module.path.length)) this.#declares.push(module.path)
    this.#next = ITEMS | MODULE
    return at
  }

  /** `macro name(…) { … }`, of which nothing counts. */
  #macroItem(behind: number): number {
    const { name, end } = nameAt(this.#text, skipSpace(this.#text, behind))
    if (name === '') return behind
    if (!this.#leavingOut) this.#attributesAt = this.#open.length
    this.#leavingOut = true
    this.#isItem = true
    return end
  }

  /** Reads the `!` here: behind the name of a macro the bracket that follows is its own. */
  #macroUse(at: number): number {
    const text = this.#text
    let next = skipSpace(text, at + 1)
    const sign = text[next]
    if (sign === '=' || (this.#here & LEFT_OUT) !== 0) return next
    const name = wordBefore(text, at)
    if (name === '' || KEYWORDS.has(name)) return next
    if (name === 'macro_rules') next = skipSpace(text, nameAt(text, next).end)
    const bracket = text[next]
    if (bracket === '{' && (this.#here & ITEMS) !== 0 && !this.#leavingOut && name !== 'macro_rules')
      this.#next = ITEMS
    else if (bracket === '{') this.#next = LEFT_OUT
    else if (bracket === '(' || bracket === '[') this.#next = LEFT_OUT | ROUND
    return next
  }

  #attribute(at: number): number {
    if ((this.#here & LEFT_OUT) !== 0) return at + 1
    const attribute = readAttribute(this.#text, at)
    if (attribute === null) return at + 1
    if (attribute.inner) {
      if (attribute.leavesOut) this.#here |= LEFT_OUT
      return attribute.end
    }
    if (!this.#leavingOut) {
      this.#attributesAt = this.#open.length
      this.#isItem = false
    }
    this.#attributes.push(attribute)
    if (attribute.leavesOut) this.#leavingOut = true
    return attribute.end
  }

  #openBracket(usual: number): void {
    const leavesOut = this.#leavingOut && (usual & ROUND) === 0 ? LEFT_OUT : 0
    this.#open.push(this.#here)
    this.#here = (this.#next ?? usual) | leavesOut
    this.#next = null
    if ((this.#here & ROUND) === 0 && this.#open.length === this.#attributesAt + 1) this.#itemEnds()
  }

  #close(): void {
    const outer = this.#open.pop()
    if (outer === undefined) return
    if ((this.#here & MODULE) !== 0) this.#modules.pop()
    this.#here = outer
    if (this.#open.length < this.#attributesAt) this.#itemEnds()
  }

  /** What comes next has none of the attributes that came. */
  #itemEnds(): void {
    if (this.#attributes.length > 0) this.#attributes = []
    this.#attributesAt = this.#open.length
    this.#leavingOut = false
    this.#isItem = false
  }
}

/** Bits of what a bracket holds: items, as modules do. */
const ITEMS = 1
/** It is an inline module's. */
const MODULE = 2
/** It is round or square. */
const ROUND = 4
/** Nothing in it counts. */
const LEFT_OUT = 8

const EXCLAMATION = 33
const QUOTE = 34
const HASH = 35
const APOSTROPHE = 39
const PARENTHESIS = 40
const CLOSING_PARENTHESIS = 41
const COMMA = 44
const SLASH = 47
const SEMICOLON = 59
const SQUARE = 91
const CLOSING_SQUARE = 93
const SMALL_E = 101
const SMALL_M = 109
const SMALL_U = 117
const BRACE = 123
const CLOSING_BRACE = 125

/** Characters of the longest word that is looked for. */
/** What imports and modules begin with. */
const DECLARING = ['use', 'mod', 'extern'] as const
const MAX_KEYWORD = 6

/** What a raw string may begin with. */
const RAW: ReadonlySet<string> = new Set(['r', 'br', 'cr'])

/** Words that an item begins with, behind its visibility; fields, variants and arms have none of them. */
const ITEM_WORDS: ReadonlySet<string> = new Set(
  'async const enum extern fn impl let mod static struct trait type union unsafe use'.split(' '),
)

/** Words behind which a `!` is an operator. */
const KEYWORDS: ReadonlySet<string> = new Set(
  'as break const else if impl in let loop match move mut ref return while yield'.split(' '),
)
