/** What git knows of how files change: which together, and which since when. */
import { TokenscopeError } from '../../../events/errors.ts'
import type { Partition, ScanWarning } from '../source-tree.ts'
import { askGit, type GitEnd } from './git.ts'

/** How often changes cross the borders between subsystems. */
export interface Churn {
  /** Commits that count; null: it is not known, and a warning says why. */
  commits: number | null
  /** Those of them that touch two subsystems or more. */
  cross: number | null
  warnings: ScanWarning[]
}

const PERIOD_S = 90 * 24 * 60 * 60
/** Who touches more files than this renames or reformats. */
const MAX_FILES = 30
/** No path from a repository's top begins so. */
const COMMIT_SIGN = '//'
const DIFF_OPTIONS = [
  '-z',
  '--name-only',
  '--no-renames',
  '--relative',
  '--no-ext-diff',
  '--no-textconv',
  '-O/dev/null',
]

/**
 * Counts the commits that HEAD leads to, merges aside, that were committed in the 90 days up to HEAD's own commit date and touch 1
 * to 30 of these files, and those of them that touch files of several subsystems (co-change coupling; the bound on files and
 * a window that ends with HEAD and not with the clock after Nagappan & Ball 2005). Only names are asked for: line counts
 * cost 25 times as much.
 *
 * @param root the folder that is scored, in a repository or its top
 * @param paths of the files, from the root
 * @param partition of the files in the same order
 * @param signal ends git; what is given then is that nothing is known
 */
export async function readChurn(
  root: string,
  paths: readonly string[],
  partition: Partition,
  signal?: AbortSignal,
): Promise<Churn> {
  const problem = await whyUnknown(root)
  if (problem !== null) return unknown(problem.code, problem.message)
  const [head, end] = await oneAnswer(root, ['log', '-1', '--format=%ct', '-z', 'HEAD', '--'])
  if (head === null) return unknown('NO_HISTORY', `git has no commit to look at${because(end)}.`)
  const newest = Number(head)
  const tally = new CommitTally(paths, partition, newest - PERIOD_S, newest)
  const walk = await askGit(
    root,
    [
      'log',
      '--no-merges',
      '--no-notes',
      '--no-color',
      `--max-age=${newest - PERIOD_S}`,
      `--format=${COMMIT_SIGN}%ct`,
    ]
      .concat(DIFF_OPTIONS)
      .concat(['HEAD', '--']),
    token => tally.add(token),
    signal,
  )
  if (walk.code !== 0)
    return unknown('NO_HISTORY', `git could not tell which files commits touch${because(walk)}.`)
  const { commits, cross } = tally.end()
  if (commits > 0) return { commits, cross, warnings: [] }
  return unknown(
    'NO_HISTORY',
    `No commit of the 90 days up to the last one touches 1 to ${MAX_FILES} of the files.`,
  )
}

/**
 * The files that changed since the work on this branch left a revision (since the merge base of both), committed or not, new
 * ones that git does not ignore among them, and removed ones, too.
 *
 * @param root the folder that is scored
 * @param revision as git takes it: a branch, a tag, `HEAD~3`
 * @returns paths from the root, sorted, whatever kind of files they are
 * @throws TokenscopeError CONFIG if there is no such revision, or git cannot be asked
 */
export async function changedSince(root: string, revision: string): Promise<string[]> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]
  const [commit, end] = await oneAnswer(root, args)
  if (commit === null) {
    const isUnknown = end.code === 1 || (end.code === 128 && end.said.includes('Needed a single revision'))
    const why = isUnknown ? '' : because(end)
    throw new TokenscopeError('CONFIG', `"${revision}" is no revision that git knows in ${root}${why}.`)
  }
  const [base] = await oneAnswer(root, ['merge-base', commit, 'HEAD'])
  const paths = new Set<string>()
  const collect = async (args: readonly string[]) => {
    const { code, said } = await askGit(root, args, path => paths.add(path))
    if (code === 0) return
    throw new TokenscopeError(
      'CONFIG',
      `git cannot tell what changed since "${revision}"${because({ code, said })}.`,
    )
  }
  await collect(['diff', ...DIFF_OPTIONS, base ?? commit, '--'])
  await collect(['ls-files', '--others', '--exclude-standard', '-z'])
  return [...paths].sort()
}

/** Counts commits as git tells them: the sign with the date, then the paths, the first one with a line end before it. */
class CommitTally {
  readonly #parts: ReadonlyMap<string, number>
  readonly #from: number
  readonly #to: number
  #commits = 0
  #cross = 0
  #counts = false
  #isFirst = false
  #files = 0
  readonly #touched = new Set<number>()

  constructor(paths: readonly string[], partition: Partition, from: number, to: number) {
    this.#parts = new Map(paths.map((path, file) => [path, partition.of[file] as number]))
    this.#from = from
    this.#to = to
  }

  add(token: string): void {
    if (token.startsWith(COMMIT_SIGN)) {
      this.#close()
      const date = Number(token.slice(COMMIT_SIGN.length))
      this.#counts = date >= this.#from && date <= this.#to
      this.#isFirst = true
      return
    }
    const part = this.#parts.get(this.#isFirst ? token.slice(1) : token)
    this.#isFirst = false
    if (part === undefined) return
    this.#files++
    this.#touched.add(part)
  }

  end(): { commits: number; cross: number } {
    this.#close()
    return { commits: this.#commits, cross: this.#cross }
  }

  #close(): void {
    if (this.#counts && this.#files > 0 && this.#files <= MAX_FILES) {
      this.#commits++
      if (this.#touched.size > 1) this.#cross++
    }
    this.#files = 0
    this.#touched.clear()
  }
}

async function whyUnknown(root: string): Promise<Pick<ScanWarning, 'code' | 'message'> | null> {
  const [answer, end] = await oneAnswer(root, ['rev-parse', '--is-shallow-repository'])
  if (answer === 'false') return null
  if (answer === 'true') {
    const message =
      'The clone is shallow: how files change together cannot be told from a part of the history.'
    return { code: 'SHALLOW_CLONE', message }
  }
  const why = end.code === 127 ? ': git is not installed' : because(end)
  return { code: 'NO_GIT', message: `How files change together is not known without git${why}.` }
}

/** What git answers, without the line end; null if it fails or has nothing to say. */
async function oneAnswer(root: string, args: readonly string[]): Promise<[string | null, GitEnd]> {
  let answer = ''
  const end = await askGit(root, args, token => {
    answer += token
  })
  return [end.code === 0 && answer.trim() !== '' ? answer.trim() : null, end]
}

function because({ code, said }: GitEnd): string {
  const reason =
    said
      .split('\n')[0]
      ?.replace(/^(?:fatal|error): /, '')
      .replace(/\.$/, '') ?? ''
  if (reason !== '') return `: ${reason}`
  return code === null ? ': it took longer than a minute' : ''
}

function unknown(code: ScanWarning['code'], message: string): Churn {
  return { commits: null, cross: null, warnings: [{ code, path: null, message }] }
}
