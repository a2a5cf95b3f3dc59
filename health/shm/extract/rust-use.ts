import { nameAt, skipSpace, wordEnd } from './rust-text.ts'

/** A leaf of a `use` tree. */
export interface UseLeaf {
  /** Written out, without `as`, a final `self` cut. */
  path: string
  /** Where its last name begins in the text. */
  at: number
}

/** How many more characters may be told: a prefix counts again with each of its leaves, and the whole must stay in proportion to the file. */
export interface Allowance {
  left: number
}

/**
 * Reads the `use` tree that begins behind the word `use`, and adds its leaves (The Rust Reference, "Use declarations").
 * Returns where the reading ended: behind the `;`, or, where this is no `use` declaration, at what does not belong to one; then no leaf is added.
 * Leaves beyond the allowance are left out. A tree may be nested to any depth.
 */
export function readUse(text: string, start: number, leaves: UseLeaf[], allowance: Allowance): number {
  const found: UseLeaf[] = []
  /** What stands before the open `{`s. */
  const prefixes: string[] = []
  let prefix = ''
  let path = ''
  let name = start
  let named = false
  let spent = 0
  const leaf = () => {
    const full = prefix + path
    path = ''
    // Without a name: what a `}`, or a `,` at the end of a list, leaves.
    if (!named) return
    named = false
    const cut = full.length > 6 && wordEnd(text, name) === name + 4 && text.startsWith('self', name)
    const cost = full.length + LEAF
    if (allowance.left < spent + cost) return
    spent += cost
    found.push({ path: cut ? full.slice(0, -6) : full, at: name })
  }
  for (let at = skipSpace(text, start); ; at = skipSpace(text, at)) {
    switch (text[at]) {
      case ';':
        if (prefixes.length > 0) return at
        leaf()
        allowance.left -= spent
        for (const one of found) leaves.push(one)
        return at + 1
      case ',':
        if (prefixes.length === 0) return at
        leaf()
        at++
        break
      case '{':
        if (named) return at
        prefixes.push(prefix)
        prefix += path
        path = ''
        at++
        break
      case '}': {
        leaf()
        const outer = prefixes.pop()
        if (outer === undefined) return at
        prefix = outer
        at++
        break
      }
      case ':':
        if (text[at + 1] !== ':') return at
        path += '::'
        named = false
        at += 2
        break
      case '*':
        if (named) return at
        path += '*'
        name = at
        named = true
        at++
        break
      default: {
        const word = nameAt(text, at)
        if (word.name === '') return at
        if (named) {
          // What follows a name is `as` and another one, which does not count.
          if (word.name !== 'as') return at
          const other = nameAt(text, skipSpace(text, word.end))
          if (other.name === '') return other.end
          at = other.end
          break
        }
        path += word.name
        name = word.end - word.name.length
        named = true
        at = word.end
      }
    }
  }
}

/** Characters that a leaf counts for beside its path. */
const LEAF = 16
