/** Questions to git that mean the same on every machine, and change nothing. */
import { spawn } from 'node:child_process'

/** Variables by which a hook or a user's shell would make git answer about something else. */
const FOREIGN_VARIABLES = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_GRAFT_FILE',
  'GIT_SHALLOW_FILE',
  'GIT_REPLACE_REF_BASE',
  'GIT_CONFIG',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  'GIT_EXTERNAL_DIFF',
  'GIT_DIFF_OPTS',
  'GIT_CEILING_DIRECTORIES',
  'GIT_GLOB_PATHSPECS',
  'GIT_NOGLOB_PATHSPECS',
  'GIT_ICASE_PATHSPECS',
]

/** No locks, no questions, no pager, no network (a partial clone would fetch what it lacks). */
const VARIABLES = [
  'LC_ALL=C',
  'GIT_OPTIONAL_LOCKS=0',
  'GIT_TERMINAL_PROMPT=0',
  'GIT_NO_LAZY_FETCH=1',
  'GIT_PAGER=cat',
]

/** What a repository's own settings would add or run. */
const SETTINGS = [
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.hooksPath=/dev/null',
  'core.quotePath=false',
  'log.showSignature=false',
  'log.showRoot=true',
  'protocol.allow=never',
]

const LIMIT_MS = 60_000
const MAX_SAID = 2000

/** How git ended. */
export interface GitEnd {
  /** Null: it could not be started, or was stopped since it took longer than a minute or nobody wants it any more. */
  code: number | null
  /** The beginning of what it said on stderr. */
  said: string
}

/**
 * Asks git in a folder. Its variables and settings are fixed as far as they would change an answer; who may ask is left to git
 * (`safe.directory`). It is stopped after a minute, or when `signal` says so.
 *
 * @param onToken told of each text that ends with NUL, and of what is left behind the last one if that is not empty
 * @returns how it ended; it never throws
 */
export function askGit(
  folder: string,
  args: readonly string[],
  onToken: (token: string) => void,
  signal?: AbortSignal,
): Promise<GitEnd> {
  // Node would throw; no system takes it.
  if ([folder, ...args].some(text => text.includes('\0')))
    return Promise.resolve({ code: null, said: 'a text with NUL in it cannot be handed to git' })
  const { promise, resolve } = Promise.withResolvers<GitEnd>()
  const child = spawn(
    'env',
    [
      ...FOREIGN_VARIABLES.flatMap(name => ['-u', name]),
      ...VARIABLES,
      'git',
      '--no-pager',
      ...SETTINGS.flatMap(setting => ['-c', setting]),
      ...args,
    ],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      windowsHide: true,
      ...(signal === undefined ? {} : { signal }),
    },
  )
  let said = ''
  let open: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < MAX_SAID) said += chunk.toString().slice(0, MAX_SAID - said.length)
  })
  child.stdout.on('data', (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(0); at !== -1; at = chunk.indexOf(0, from)) {
      onToken(Buffer.concat([...open, chunk.subarray(from, at)]).toString())
      open = []
      from = at + 1
    }
    if (from < chunk.length) open.push(chunk.subarray(from))
  })
  child.on('error', error => resolve({ code: null, said: error.message }))
  child.on('close', code => {
    if (open.length > 0) onToken(Buffer.concat(open).toString())
    resolve({ code, said: said.trim() })
  })
  return promise
}
