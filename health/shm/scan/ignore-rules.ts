/** What git ignores, by the `.gitignore` files on the way to a path. */
import ignore, { type Ignore } from 'ignore'

/** The rules of one file. */
interface Level {
  matcher: Ignore
  /** What is cut from the front of a path from the root, and what is put there, to have it from the file's folder. */
  cut: number
  put: string
  /** The file further up, whose rules count where this one has none. */
  outer: Level | null
}

/**
 * The rules that count in a folder: those of its own `.gitignore` before those of the folders above. Letter case counts
 * (git's default on Linux), whatever the machine, so that a score does not depend on it.
 *
 * Folders are entered from the root down: `ignoresFile` expects to be asked about files right in the folder that the rules
 * were handed out for.
 */
export class IgnoreRules {
  static readonly NONE = new IgnoreRules(null, 0)
  readonly #innermost: Level | null
  /** Of how many files these are. */
  readonly depth: number

  private constructor(innermost: Level | null, depth: number) {
    this.#innermost = innermost
    this.depth = depth
  }

  /**
   * These rules and those of a file in a folder that they count in.
   *
   * @param folder from the root, `''` for the root itself
   * @param text what the file holds
   */
  withFile(folder: string, text: string): IgnoreRules {
    const matcher = ignore({ ignoreCase: false }).add(text)
    const cut = folder === '' ? 0 : folder.length + 1
    return new IgnoreRules({ matcher, cut, put: '', outer: this.#innermost }, this.depth + 1)
  }

  /**
   * These rules and those of a file in a folder above the root. That the root itself is ignored by them does not count: who
   * names a folder wants it read.
   *
   * @param way from that folder to the root
   */
  withFileAbove(way: string, text: string): IgnoreRules {
    let matcher = ignore({ ignoreCase: false }).add(text)
    for (let at = way.indexOf('/'); ; at = way.indexOf('/', at + 1)) {
      const folder = at === -1 ? way : way.slice(0, at)
      if (matcher.test(`${folder}/`).ignored) matcher = readmitting(matcher, folder)
      if (at === -1) break
    }
    return new IgnoreRules({ matcher, cut: 0, put: `${way}/`, outer: this.#innermost }, this.depth + 1)
  }

  /** Whether a file, or a link, is ignored. */
  ignoresFile(path: string): boolean {
    for (let level = this.#innermost; level !== null; level = level.outer) {
      const verdict = level.matcher.test(level.put + path.slice(level.cut))
      if (verdict.ignored) return true
      if (verdict.unignored) return false
    }
    return false
  }

  /** The rules that count in a folder, its own file not yet among them; null: it is ignored with all that it holds. */
  inside(folder: string): IgnoreRules | null {
    for (let level = this.#innermost; level !== null; level = level.outer) {
      const verdict = level.matcher.test(`${level.put}${folder.slice(level.cut)}/`)
      if (verdict.ignored) return null
      if (verdict.unignored) return this.#overruled(level, folder)
    }
    return this
  }

  /**
   * A rule of `deciding` keeps a folder that files further up may ignore. A matcher takes all below an ignored folder to be
   * ignored; git does not where the folder was kept. So those files get a rule more, which keeps this folder.
   */
  #overruled(deciding: Level, folder: string): IgnoreRules {
    const inner: Level[] = []
    for (let level = this.#innermost; level !== deciding.outer && level !== null; level = level.outer)
      inner.push(level)
    const outer: Level[] = []
    let isOverruled = false
    for (let level = deciding.outer; level !== null; level = level.outer) {
      const path = level.put + folder.slice(level.cut)
      const ignores = level.matcher.test(`${path}/`).ignored
      outer.push(ignores ? { ...level, matcher: readmitting(level.matcher, path) } : level)
      isOverruled ||= ignores
    }
    if (!isOverruled) return this
    const innermost = [...inner, ...outer].reduceRight<Level | null>(
      (up, level) => ({ ...level, outer: up }),
      null,
    )
    return new IgnoreRules(innermost, this.depth)
  }
}

function readmitting(matcher: Ignore, folder: string): Ignore {
  const escaped = folder.replace(/[\\*?[\] !#]/g, '\\$&')
  return ignore({ ignoreCase: false })
    .add(matcher)
    .add({ pattern: `!/${escaped}/` })
}
