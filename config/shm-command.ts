/**
 * What the command line of `pnpm shm` says. It is read without the validator of other options, which takes longer to load than a
 * small tree takes to be scored.
 */
import { SHM_KEYS, type ShmFlag } from '../events/config-keys.ts'
import type { TokenscopeError } from '../events/errors.ts'
import type { Form } from '../health/shm/say/forms.ts'
import { readFlags } from './option-sources.ts'
import { bad } from './refusal.ts'

export interface ShmConfig {
  /** The folder that is scored, as given. */
  folder: string
  form: Form
  /** As given; null for standard output. */
  output: string | null
  tests: boolean
  /** As given; null for the one in the folder. */
  baseline: string | null
  writeBaseline: boolean
  gate: boolean
  watch: boolean
  since: string | null
  /** Null: one for each processor. */
  threads: number | null
  /** Whether a terminal is written to in colours. */
  colour: boolean
}

export type ShmCommand = { kind: 'start'; config: ShmConfig } | { kind: 'help' }

const MAX_THREADS = 64

const WORDS = {
  output: 'the path of a file',
  baseline: 'the path of a file',
  since: 'a commit, as git names it',
  threads: `a whole number from 1 to ${MAX_THREADS}, or auto`,
} as const

const FORM_FLAGS = ['json', 'sarif', 'html', 'dot', 'mermaid', 'debug'] as const satisfies readonly Form[]

/**
 * Reads the command line of `pnpm shm [DIR]`.
 *
 * @throws TokenscopeError CONFIG naming what is wrong
 */
export function readShmCommand(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
): ShmCommand {
  const { flags, files } = readFlags(argv, SHM_KEYS, words, true)
  if (flags.has('help')) return { kind: 'help' }
  const [folder = '.', more] = files
  if (folder === '') throw bad('DIR', 'The folder to score is empty: pnpm shm [DIR]. See --help.')
  if (more !== undefined) throw bad('DIR', `"${more}" is one folder too many. See --help.`)
  const forms = FORM_FLAGS.filter(form => flags.has(form))
  if (forms.length > 1) {
    const both = forms.map(form => `--${form}`).join(' and ')
    throw bad(`--${forms[1]}`, `${both} are forms of one report. Choose one of them.`)
  }
  const form = forms[0] ?? 'terminal'
  const textOf = (flag: ShmFlag) => (flags.get(flag)?.value as string | undefined) ?? null
  const output = textOf('output')
  if (flags.has('watch')) {
    for (const other of ['gate', 'write-baseline'] as const) {
      if (flags.has(other)) throw bad(`--${other}`, `--watch does not end, and --${other} is about the end.`)
    }
    if (form !== 'terminal' && output === null)
      throw bad(`--${form}`, `--watch writes --${form} anew with each change. Say where with --output FILE.`)
  }
  return {
    kind: 'start',
    config: {
      folder,
      form,
      output,
      tests: flags.has('tests'),
      baseline: textOf('baseline'),
      writeBaseline: flags.has('write-baseline'),
      gate: flags.has('gate'),
      watch: flags.has('watch'),
      since: sinceOf(textOf('since')),
      threads: threadsOf(textOf('threads')),
      colour: !flags.has('no-color') && !env.NO_COLOR,
    },
  }
}

/** What the value of an option must be. */
function words(flag: string): string {
  return WORDS[flag as keyof typeof WORDS]
}

/** @throws TokenscopeError CONFIG where git would take it for an option */
function sinceOf(text: string | null): string | null {
  if (text?.startsWith('-')) throw unfit('since', text)
  return text
}

function threadsOf(text: string | null): number | null {
  if (text === null || text === 'auto') return null
  if (!/^[0-9]{1,2}$/.test(text) || Number(text) < 1 || Number(text) > MAX_THREADS)
    throw unfit('threads', text)
  return Number(text)
}

function unfit(flag: keyof typeof WORDS, value: string): TokenscopeError {
  return bad(`--${flag}`, `--${flag} is ${JSON.stringify(value)}; it must be ${WORDS[flag]}.`)
}
