/** `pas.config.json`: what a project says about its own structure. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, TokenscopeError } from '../../../events/errors.ts'
import { globOf, type PathTest } from './glob.ts'

export const PAS_CONFIG_FILE = 'pas.config.json'

/** What the file holds; its schema is `PAS_CONFIG_SCHEMA`. */
export interface PasConfig {
  $schema?: string
  /** Globs by the subsystem's name. A file is in the first one of whose globs one means it. */
  subsystems?: Record<string, string[]>
  /** Globs of what is not scored. */
  exclude?: string[]
  include_tests?: boolean
  /** Where C and C++ look for headers, from the root. */
  include_dirs?: string[]
  /** Whether a baseline has stability, too, and a gate so looks at commits. */
  gate_stability?: boolean
}

/** The file cannot be read, or says what it should not. */
export class PasConfigError extends TokenscopeError {
  readonly file: string
  /** As a path (`subsystems.api`); null where it is about the whole file. */
  readonly key: string | null

  constructor(file: string, key: string | null, problem: string, cause?: unknown) {
    super('CONFIG', key === null ? `${file} ${problem}.` : `"${key}" in ${file} ${problem}.`, {
      param: key ?? file,
      cause,
    })
    this.name = 'PasConfigError'
    this.file = file
    this.key = key
  }
}

/** Names of subsystems; JavaScript would put those that are numbers before the others, whatever their order in the file. */
export const SUBSYSTEM_NAME = '^(?!\\.$)(?!\\d+$)[^\\u0000-\\u001f]{1,100}$'
/** Globs and folders are from the root. */
export const FROM_ROOT = '^(?!/|!|\\.\\.?/|\\.\\.?$)[^\\u0000\\\\]{1,500}$'

const NAME = new RegExp(SUBSYSTEM_NAME, 'u')
const PATH = new RegExp(FROM_ROOT, 'u')
const KEYS: ReadonlySet<string> = new Set([
  '$schema',
  'subsystems',
  'exclude',
  'include_tests',
  'include_dirs',
  'gate_stability',
])

/**
 * What a folder's `pas.config.json` says; null: there is none.
 *
 * @throws PasConfigError naming the file, and the key that is unknown or has a bad value
 */
export async function readPasConfig(root: string): Promise<PasConfig | null> {
  let text: string
  try {
    text = await readFile(join(root, PAS_CONFIG_FILE), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A root that is no folder the scan tells.
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new PasConfigError(PAS_CONFIG_FILE, null, `cannot be read: ${reasonOf(error)}`, error)
  }
  let content: unknown
  try {
    // Editors on Windows put a byte order mark before it.
    content = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new PasConfigError(PAS_CONFIG_FILE, null, `is not JSON: ${reasonOf(error)}`, error)
  }
  return checkedPasConfig(content)
}

/** A value as a config, itself; @throws PasConfigError naming the key that is unknown or has a bad value */
export function checkedPasConfig(value: unknown): PasConfig {
  const bad = (key: string | null, problem: string) => new PasConfigError(PAS_CONFIG_FILE, key, problem)
  if (!isObject(value)) throw bad(null, 'must hold one JSON object')
  for (const key of Object.keys(value)) {
    if (!KEYS.has(key)) throw bad(key, `is unknown; there are ${[...KEYS].join(', ')}`)
  }
  const { $schema, subsystems, exclude, include_dirs: includeDirs } = value
  if ($schema !== undefined && typeof $schema !== 'string') throw bad('$schema', 'must be a text')
  for (const key of ['include_tests', 'gate_stability']) {
    if (value[key] !== undefined && typeof value[key] !== 'boolean') throw bad(key, 'must be true or false')
  }
  const checkPaths = (key: string, paths: unknown, least: number) => {
    if (!Array.isArray(paths) || paths.length < least)
      throw bad(key, `must be a list of texts${least > 0 ? ', of one at least' : ''}`)
    for (const [i, path] of paths.entries()) {
      if (typeof path !== 'string' || !PATH.test(path))
        throw bad(
          `${key}[${i}]`,
          'must be a path or glob from this folder, with /, without ./ or ! before it',
        )
    }
  }
  if (exclude !== undefined) checkPaths('exclude', exclude, 0)
  if (includeDirs !== undefined) checkPaths('include_dirs', includeDirs, 0)
  if (subsystems !== undefined) {
    if (!isObject(subsystems)) throw bad('subsystems', 'must be an object of lists of globs')
    for (const [name, globs] of Object.entries(subsystems)) {
      if (!NAME.test(name))
        throw bad(`subsystems.${name}`, 'must have a name of 1 to 100 signs that is no number, and not "."')
      checkPaths(`subsystems.${name}`, globs, 1)
    }
  }
  return value as PasConfig
}

/** What a config leaves out: files, and folders of which nothing would be left. */
export function excludedBy(config: PasConfig | null): { file: PathTest; folder: PathTest } {
  const globs = config?.exclude ?? []
  const tests = globs.map(globOf)
  // `a/**` leaves nothing of `a`, and a name without wildcards nothing of what it names.
  const whole = globs.filter(glob => glob.endsWith('/**')).map(glob => globOf(glob.slice(0, -3)))
  const named = globs.filter(glob => !/[*?[\]{}()]/.test(glob)).map(globOf)
  return {
    file: path => tests.some(test => test(path)),
    folder: path => whole.some(test => test(path)) || named.some(test => test(path)),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
