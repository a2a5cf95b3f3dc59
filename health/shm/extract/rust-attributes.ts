import { apostropheEnd, commentEnd, KINDS, rawStringEnd, stringEnd, WORD, wordEnd } from './rust-text.ts'

/** What an attribute says that matters here. */
export interface Attribute {
  /** It belongs to what it stands in (`#![…]`), not to what follows. */
  inner: boolean
  /** What it belongs to is not there in a build without tests. */
  leavesOut: boolean
  /** The file of the module: `#[path = "…"]`. */
  path: string | null
  /** The same where a condition decides: `#[cfg_attr(…, path = "…")]`. */
  choice: string | null
  /** Behind its `]`. */
  end: number
}

/** Reads the attribute whose `#` is here (The Rust Reference, "Attributes", "Conditional compilation"); null: it is none. */
export function readAttribute(text: string, start: number): Attribute | null {
  const inner = text[start + 1] === '!'
  const open = start + (inner ? 2 : 1)
  if (text[open] !== '[') return null
  const end = closingEnd(text, open)
  const attribute: Attribute = { inner, leavesOut: false, path: null, choice: null, end }
  const said = text.slice(open + 1, end - 1)
  const [name = ''] = said.slice(0, MAX_NAME).split(/[(=]/, 1)
  const isKnown = KNOWN.has(name.trim()) && said.length <= MAX_CHARACTERS
  const tokens = isKnown && MATTERS.test(said) ? tokensOf(said) : []
  if (tokens[0] === 'cfg') attribute.leavesOut = truthOf(tokens, 2).value === NEVER
  else if (tokens[0] === 'path') attribute.path = stringOf(tokens[2])
  else if (tokens[0] === 'cfg_attr') {
    const { value, end } = truthOf(tokens, 2)
    const at = tokens.indexOf('path', end)
    if (value !== NEVER && at >= 0 && tokens[at + 1] === '=') attribute.choice = stringOf(tokens[at + 2])
  } else attribute.leavesOut = /(?:^|::)\s*test\s*$/.test(name)
  return attribute
}

/** What stands in every attribute that says something here: most are read no further. */
const MATTERS = /path|test|false|true|(?:all|any)\s*\(\s*\)/
const KNOWN: ReadonlySet<string> = new Set(['cfg', 'path', 'cfg_attr'])
/** Characters in which the name of an attribute ends. */
const MAX_NAME = 256
/** Longer ones are not read. */
const MAX_CHARACTERS = 16_384

const NEVER = 0
const MAYBE = 1
const ALWAYS = 2

/**
 * Whether the predicate of a `cfg` that begins at this token holds in a build without tests, and the token behind it. Every option
 * but `test` is unknown.
 */
function truthOf(tokens: readonly string[], start: number): { value: number; end: number } {
  const open: { word: string; value: number }[] = []
  let at = start
  for (;;) {
    const word = tokens[at]
    if (tokens[at + 1] === '(' && (word === 'all' || word === 'any' || word === 'not')) {
      open.push({ word, value: word === 'any' ? NEVER : ALWAYS })
      at += 2
    } else if (word !== undefined && word !== ')') {
      const [value, end] = optionAt(tokens, at)
      at = end
      const group = open.at(-1)
      if (group === undefined) return { value, end: at }
      group.value = combined(group, value)
    }
    while (tokens[at] === ',' || tokens[at] === ')') {
      if (tokens[at++] === ',') continue
      const group = open.pop()
      if (group === undefined) return { value: MAYBE, end: at }
      const outer = open.at(-1)
      if (outer === undefined) return { value: group.value, end: at }
      outer.value = combined(outer, group.value)
    }
    if (at >= tokens.length) return { value: MAYBE, end: at }
  }
}

function combined(group: { word: string; value: number }, value: number): number {
  if (group.word === 'not') return ALWAYS - value
  return group.word === 'all' ? Math.min(group.value, value) : Math.max(group.value, value)
}

/** What an option says, and the token behind it: `unix`, `feature = "x"`, `version("1.2")`. */
function optionAt(tokens: readonly string[], at: number): [value: number, end: number] {
  if (tokens[at + 1] === '=') return [MAYBE, at + 3]
  if (tokens[at + 1] === '(') {
    const close = tokens.indexOf(')', at)
    return [MAYBE, close < 0 ? tokens.length : close + 1]
  }
  const word = tokens[at]
  if (word === 'test' || word === 'false') return [NEVER, at + 1]
  return [word === 'true' ? ALWAYS : MAYBE, at + 1]
}

/** Words, strings and signs, without comments. */
function tokensOf(attribute: string): string[] {
  const tokens: string[] = []
  for (const [token] of attribute.matchAll(TOKEN)) {
    if (!token.startsWith('//') && !token.startsWith('/*')) tokens.push(token)
  }
  return tokens
}

const TOKEN = /\/\/[^\n]*|\/\*.*?\*\/|[bc]?r(#*)".*?"\1|"(?:[^"\\]|\\.)*"|[\p{L}\p{N}_]+|::|[^\s]/gsu

/** What a token that is a string says; null: it is none. */
function stringOf(token: string | undefined): string | null {
  const raw = /^r(#*)"(.*)"\1$/s.exec(token ?? '')
  if (raw !== null) return raw[2] as string
  return token?.startsWith('"') ? token.slice(1, -1).replace(/\\(.)/gs, '$1') : null
}

/** Behind the `]` that closes the `[` here. */
function closingEnd(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; ) {
    const sign = text[at]
    const comment = sign === '/' ? commentEnd(text, at) : -1
    if (comment >= 0) at = comment
    else if (sign === '"') at = stringEnd(text, at)
    else if (sign === "'") at = apostropheEnd(text, at)
    else if (KINDS[text.charCodeAt(at)] === WORD) {
      const end = wordEnd(text, at)
      const raw = /^[bc]?r$/.test(text.slice(at, Math.min(end, at + 3))) ? rawStringEnd(text, end) : -1
      at = raw < 0 ? end : raw
    } else {
      at++
      if (sign === '[') depth++
      else if (sign === ']' && --depth === 0) return at
    }
  }
  return text.length
}
