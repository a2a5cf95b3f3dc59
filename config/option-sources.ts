/** The sources of options: flags, the environment, and `tokenscope.config.json`. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CONFIG_KEYS, type ConfigFlag, type ConfigKey, DEMO_KEYS } from '../events/config-keys.ts'
import { reasonOf } from '../events/errors.ts'
import { withoutCredentials } from '../events/source-url.ts'
import type { Flag, Origin } from './option-shapes.ts'
import { bad } from './refusal.ts'

export const CONFIG_FILE = 'tokenscope.config.json'

/** Given without a value these are on. */
const SWITCHES: ReadonlySet<Flag> = new Set(['cache'])

/** What a command line holds. */
export interface CommandLine {
  /** By flag; `help` and `version`, too. */
  flags: Map<string, Origin>
  /** What is no option; empty unless it may be there. */
  files: string[]
}

/**
 * Reads a command line.
 *
 * @param keys the options that it may have, beside --help, and --version if they are those of a start
 * @param words for what the value of an option must be
 * @param takesFiles whether there may be something that is no option
 * @throws TokenscopeError CONFIG naming what is unknown, misses its value or is there twice
 */
export function readFlags(
  argv: readonly string[],
  keys: readonly ConfigKey[],
  words: (flag: string) => string,
  takesFiles = false,
): CommandLine {
  // `pnpm start -- --port 1` hands the divider on.
  const args = (argv[0] === '--' ? argv.slice(1) : [...argv]).map(switchedOn)
  const options = Object.fromEntries([
    ...keys.map(
      ({ flag, value }) => [flag, { type: value === '' ? 'boolean' : 'string', multiple: true }] as const,
    ),
    ['help', { type: 'boolean' }] as const,
    ...(keys === CONFIG_KEYS ? [['version', { type: 'boolean' }] as const] : []),
  ])
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const flags = new Map<string, Origin>()
  const files: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (!takesFiles) {
        const text = withoutCredentials(token.value)
        throw bad(text, `"${text}" is not an option. Options begin with --; see --help.`)
      }
      files.push(token.value)
      continue
    }
    if (token.kind === 'option-terminator') continue
    const { name, rawName, value } = token
    if (!Object.hasOwn(options, name)) throw bad(rawName, `Unknown option ${rawName}. See --help.`)
    if (options[name]?.type === 'boolean') {
      if (value !== undefined) throw bad(rawName, `${rawName} takes no value.`)
      flags.set(name, { value: true, from: rawName })
    } else if (value === undefined || value === '')
      throw bad(rawName, `${rawName} needs a value: ${words(name)}.`)
    else add(flags, name as Flag, value, rawName)
  }
  return { flags, files }
}

/** What the environment says; @throws TokenscopeError CONFIG naming a variable that is unknown */
export function readEnvironment(env: NodeJS.ProcessEnv): Map<string, Origin> {
  const given = new Map<string, Origin>()
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('TOKENSCOPE_') || value === undefined || value === '') continue
    const flag = name.slice('TOKENSCOPE_'.length).toLowerCase().replaceAll('_', '-')
    if (!isFlag(flag)) throw bad(name, `Unknown environment variable ${name}. See --help.`)
    given.set(flag, { value: isRepeatable(flag) ? value.trim().split(/\s+/) : value, from: name })
  }
  return given
}

/** What the file says, nothing if there is none; @throws TokenscopeError CONFIG naming what is wrong with it */
export function readConfigFile(path: string): Map<string, Origin> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw bad(CONFIG_FILE, `${CONFIG_FILE} cannot be read: ${reasonOf(error)}`)
  }
  let content: unknown
  try {
    // Editors on Windows put a byte order mark before it.
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw bad(CONFIG_FILE, `${CONFIG_FILE} is not JSON: ${reasonOf(error)}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw bad(CONFIG_FILE, `${CONFIG_FILE} must hold one JSON object.`)
  }
  const given = new Map<string, Origin>()
  for (const [flag, value] of Object.entries(content)) {
    if (!isFlag(flag)) throw bad(flag, `Unknown key "${flag}" in ${CONFIG_FILE}. See --help.`)
    const list = isRepeatable(flag) && !Array.isArray(value) ? [value] : value
    given.set(flag, { value: list, from: `"${flag}" in ${CONFIG_FILE}` })
  }
  return given
}

function add(given: Map<string, Origin>, flag: Flag, value: string, from: string): void {
  const before = given.get(flag)
  if (before === undefined) given.set(flag, { value: isRepeatable(flag) ? [value] : value, from })
  else if (isRepeatable(flag)) (before.value as string[]).push(value)
  else throw bad(from, `${from} is given twice.`)
}

/** A switch without a value is on; left alone it would take the option after it for its value. */
function switchedOn(arg: string, at: number, args: readonly string[]): string {
  if (!arg.startsWith('--') || !SWITCHES.has(arg.slice(2) as Flag)) return arg
  const next = args[at + 1]
  return next === undefined || next.startsWith('-') ? `${arg}=on` : arg
}

function isFlag(flag: string): flag is ConfigFlag {
  return CONFIG_KEYS.some(key => key.flag === flag)
}

function isRepeatable(flag: Flag): boolean {
  return [...CONFIG_KEYS, ...DEMO_KEYS].some(key => key.flag === flag && key.repeatable)
}
