/** As much of TOML as manifests are read for: tables, texts and lists; numbers, dates and the like are null. */

export type TomlValue = string | null | TomlValue[] | TomlTable
export type TomlTable = Map<string, TomlValue>

const MAX_NESTING = 64
const BARE_KEY = /[\w-]+/y
/** Numbers, dates, true and false. */
const SCALAR = /[\w+.:-]+(?: \d[\d:.Z+-]*)?/y
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u001b',
  '"': '"',
  '\\': '\\',
}

/** What a text in TOML 1.0 holds; of an array of tables (`[[a]]`) the list of them. Null: it is none. */
export function readToml(text: string): TomlTable | null {
  try {
    return new TomlReader(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')).document()
  } catch (error) {
    if (error instanceof NotToml) return null
    throw error
  }
}

/** The table at a path of keys; an empty one if there is none. */
export function tableAt(table: TomlTable, ...path: readonly string[]): TomlTable {
  let at: TomlTable = table
  for (const key of path) {
    const next = at.get(key)
    if (!(next instanceof Map)) return new Map()
    at = next
  }
  return at
}

/** The text at a key, or null. */
export function textAt(table: TomlTable, key: string): string | null {
  const value = table.get(key)
  return typeof value === 'string' ? value : null
}

/** The texts in the list at a key. */
export function textsAt(table: TomlTable, key: string): string[] {
  const value = table.get(key)
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

class NotToml extends Error {}

class TomlReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): TomlTable {
    const root: TomlTable = new Map()
    let table = root
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#takes('[[')) table = this.#listed(root, this.#header(']]'))
      else if (this.#takes('[')) table = this.#table(root, this.#header(']'))
      else this.#pair(table, 0)
      this.#skipSpace()
      this.#skipComment()
      if (this.#at < this.#text.length && this.#text[this.#at] !== '\n') throw new NotToml()
    }
    return root
  }

  #header(end: string): string[] {
    const path = this.#keys()
    if (!this.#takes(end)) throw new NotToml()
    return path
  }

  #listed(root: TomlTable, path: string[]): TomlTable {
    const last = path.pop() as string
    const parent = this.#table(root, path)
    const table: TomlTable = new Map()
    const list = parent.get(last)
    if (Array.isArray(list)) list.push(table)
    else parent.set(last, [table])
    return table
  }

  #table(from: TomlTable, path: readonly string[]): TomlTable {
    let table = from
    for (const key of path) {
      const known = table.get(key)
      const next = Array.isArray(known) ? known.at(-1) : known
      if (next instanceof Map) table = next
      else if (next === undefined) {
        const fresh: TomlTable = new Map()
        table.set(key, fresh)
        table = fresh
      } else throw new NotToml()
    }
    return table
  }

  #pair(table: TomlTable, nesting: number): void {
    const path = this.#keys()
    if (!this.#takes('=')) throw new NotToml()
    this.#skipSpace()
    const last = path.pop() as string
    this.#table(table, path).set(last, this.#value(nesting))
  }

  #keys(): string[] {
    const keys: string[] = []
    do {
      this.#skipSpace()
      const sign = this.#text[this.#at]
      keys.push(sign === '"' || sign === "'" ? this.#quoted() : this.#match(BARE_KEY))
      this.#skipSpace()
    } while (this.#takes('.'))
    return keys
  }

  #value(nesting: number): TomlValue {
    if (nesting > MAX_NESTING) throw new NotToml()
    const sign = this.#text[this.#at]
    if (sign === '"' || sign === "'") return this.#quoted()
    if (this.#takes('[')) return this.#list(nesting)
    if (this.#takes('{')) return this.#inline(nesting)
    this.#match(SCALAR)
    return null
  }

  #list(nesting: number): TomlValue[] {
    const items: TomlValue[] = []
    for (this.#skipBlank(); !this.#takes(']'); this.#skipBlank()) {
      items.push(this.#value(nesting + 1))
      this.#skipBlank()
      if (!this.#takes(',') && this.#text[this.#at] !== ']') throw new NotToml()
    }
    return items
  }

  #inline(nesting: number): TomlTable {
    const table: TomlTable = new Map()
    for (this.#skipBlank(); !this.#takes('}'); this.#skipBlank()) {
      this.#pair(table, nesting + 1)
      this.#skipBlank()
      if (!this.#takes(',') && this.#text[this.#at] !== '}') throw new NotToml()
    }
    return table
  }

  #quoted(): string {
    for (const quote of ['"""', "'''"]) if (this.#takes(quote)) return this.#long(quote)
    const quote = this.#text[this.#at++] as string
    let text = ''
    for (;;) {
      const sign = this.#text[this.#at++]
      if (sign === quote) return text
      if (sign === undefined || sign === '\n') throw new NotToml()
      text += sign === '\\' && quote === '"' ? this.#escaped() : sign
    }
  }

  /** Up to two quotes may stand right before the three that end it. */
  #long(quote: string): string {
    this.#takes('\n')
    let text = ''
    for (;;) {
      if (this.#takes(quote)) {
        const sign = quote[0] as string
        for (let more = 0; more < 2 && this.#takes(sign); more++) text += sign
        return text
      }
      const sign = this.#text[this.#at++]
      if (sign === undefined) throw new NotToml()
      if (sign !== '\\' || quote === "'''") text += sign
      else if (/^[ \t]*\n/.test(this.#text.slice(this.#at, this.#at + 100))) this.#match(/\s+/y)
      else text += this.#escaped()
    }
  }

  #escaped(): string {
    const sign = this.#text[this.#at++] ?? ''
    const plain = SHORT_ESCAPES[sign]
    if (plain !== undefined) return plain
    const digits = { x: 2, u: 4, U: 8 }[sign]
    const hex = this.#text.slice(this.#at, this.#at + (digits ?? 0))
    const code = /^[\da-f]+$/i.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : Number.NaN
    if (!(code <= 0x10ffff)) throw new NotToml()
    this.#at += hex.length
    return String.fromCodePoint(code)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) throw new NotToml()
    this.#at += found.length
    return found
  }

  #takes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
  }

  #skipComment(): void {
    if (this.#text[this.#at] !== '#') return
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end === -1 ? this.#text.length : end
  }

  /** Spaces, line ends and comments. */
  #skipBlank(): void {
    for (;;) {
      this.#skipSpace()
      this.#skipComment()
      if (this.#text[this.#at] !== '\n') return
      this.#at++
    }
  }
}
