import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { reasonOf } from '../../../events/errors.ts'
import type { SeenScore } from '../tree-standing.ts'

/** So many scores are kept. */
const MOST_SCORES = 1000

/** What the file holds. */
interface Kept {
  version: 1
  /** What the scores were made of; those of anything else cannot be compared with them. */
  of: string
  /** Oldest first. */
  scores: SeenScore[]
}

/**
 * The scores of a tree, kept in a file from one run of the server to the next. Each is there once, with when it was first seen;
 * what cannot be compared with the present score is left out. The file is replaced as a whole, the old one or the new one being
 * there whatever happens.
 */
export class ScoreHistory {
  readonly #file: string
  readonly #say: (sentence: string) => void
  #kept: Kept | null = null
  #past: readonly SeenScore[] = []
  #writing: Promise<void> = Promise.resolve()

  /** @param say told what keeps the file from being read or written; what is known stays in memory */
  constructor(file: string, say: (sentence: string) => void) {
    this.#file = file
    this.#say = say
  }

  /** Reads what an earlier run kept. */
  async load(): Promise<void> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#file, 'utf8'))
      if (!isKept(value)) throw new Error('it holds no scores')
      this.#kept = value
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      this.#say(`The history of scores in ${this.#file} cannot be read: ${reasonOf(error)}. It begins anew.`)
    }
  }

  /**
   * Takes a score in.
   *
   * @param of what it was made of: formula, calibration, partition, policy, folder
   * @param past scores of the same that somebody else kept, oldest first
   */
  add(of: string, seen: SeenScore, past: readonly SeenScore[]): void {
    this.#past = past
    const scores = this.#kept?.of === of ? this.#kept.scores : []
    if (this.#kept?.of === of && scores.at(-1)?.score === seen.score) return
    const kept: Kept = { version: 1, of, scores: [...scores, seen].slice(-MOST_SCORES) }
    this.#kept = kept
    this.#writing = this.#writing.then(() => (kept === this.#kept ? this.#write(kept) : undefined))
  }

  /** Oldest first; scores of others only from before the first of its own. */
  get scores(): SeenScore[] {
    const own = this.#kept?.scores ?? []
    const first = own[0]?.at ?? Number.POSITIVE_INFINITY
    return [...this.#past.filter(({ at }) => at < first), ...own]
  }

  /** Waits until everything is written. */
  async settle(): Promise<void> {
    await this.#writing
  }

  async #write(kept: Kept): Promise<void> {
    const unfinished = `${this.#file}.new`
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
      await writeFile(unfinished, `${JSON.stringify(kept)}\n`, { mode: 0o600 })
      await rename(unfinished, this.#file)
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {})
      this.#say(`The history of scores in ${this.#file} cannot be written: ${reasonOf(error)}.`)
    }
  }
}

function isKept(value: unknown): value is Kept {
  const { version, of, scores } = (value ?? {}) as Partial<Kept>
  return version === 1 && typeof of === 'string' && Array.isArray(scores) && scores.every(isSeen)
}

function isSeen(value: unknown): value is SeenScore {
  const { at, score } = (value ?? {}) as Partial<SeenScore>
  return typeof at === 'number' && (score === null || typeof score === 'number')
}
