/** What the command lines of the programs beside `pnpm start` say. */
import { join } from 'node:path'
import type { ServerKind } from '../bridge/demo/surface.ts'
import { BACKUP_KEYS, type ConfigKey, DEMO_KEYS, REPLAY_KEYS, RESTORE_KEYS } from '../events/config-keys.ts'
import { serverOf } from './addresses.ts'
import { type Values, valuesOf, words } from './option-shapes.ts'
import { CONFIG_FILE, readConfigFile, readEnvironment, readFlags } from './option-sources.ts'
import { bad } from './refusal.ts'

/** What `pnpm demo` is to start. */
export interface DemoConfig {
  port: number
  kind: ServerKind
  /** Infinity for no limit. */
  tokensPerSecond: number
  /** Directives, not yet read. */
  faults: string
}

/** What the command line of `pnpm demo` asks for. */
export type DemoCommand = { kind: 'start'; config: DemoConfig } | { kind: 'help' }

/** What the programs that have to do with a file and the data folder are told. */
export interface FileConfig {
  /** As given. */
  file: string
  /** Path of the data folder, as given. */
  data: string
}

export interface ReplayConfig extends FileConfig {
  /** Null for no limit. */
  speed: number | null
  /** Of the server, without a slash at its end; null for the one that holds the data folder. */
  url: string | null
}

export type FileCommand<T extends FileConfig = FileConfig> = { kind: 'start'; config: T } | { kind: 'help' }

/**
 * Reads the command line of `pnpm demo`: flags only, so that what is set for Tokenscope does not reach it.
 *
 * @throws TokenscopeError CONFIG naming the option
 */
export function readDemoCommand(argv: readonly string[] = process.argv.slice(2)): DemoCommand {
  const { flags } = readFlags(argv, DEMO_KEYS, words)
  if (flags.has('help')) return { kind: 'help' }
  const { port, kind, rate, fault } = valuesOf(DEMO_KEYS, flags)
  return {
    kind: 'start',
    config: {
      port: port as number,
      kind: kind as DemoConfig['kind'],
      tokensPerSecond: rate === 'max' ? Number.POSITIVE_INFINITY : Number(rate),
      faults: (fault as string[]).join(','),
    },
  }
}

/** Reads what `pnpm backup FILE` is to do. @throws TokenscopeError CONFIG naming what is wrong */
export function readBackupCommand(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
  folder: string = process.cwd(),
): FileCommand {
  return readFileCommand('backup', BACKUP_KEYS, argv, env, folder, fileConfigOf)
}

/** Reads what `pnpm restore FILE` is to do. @throws TokenscopeError CONFIG naming what is wrong */
export function readRestoreCommand(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
  folder: string = process.cwd(),
): FileCommand {
  return readFileCommand('restore', RESTORE_KEYS, argv, env, folder, fileConfigOf)
}

/** Reads what `pnpm replay FILE` is to do. @throws TokenscopeError CONFIG naming what is wrong */
export function readReplayCommand(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
  folder: string = process.cwd(),
): FileCommand<ReplayConfig> {
  return readFileCommand('replay', REPLAY_KEYS, argv, env, folder, (file, values) => ({
    ...fileConfigOf(file, values),
    speed: values.speed === 'unlimited' ? null : (values.speed as number),
    url: values.url === '' ? null : serverOf(values.url as string),
  }))
}

function fileConfigOf(file: string, values: Values): FileConfig {
  return { file, data: values.data as string }
}

/** The data folder is found where a start finds it; what else is set there has to be right, and is not looked at. */
function readFileCommand<T extends FileConfig>(
  program: string,
  keys: readonly ConfigKey[],
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  folder: string,
  configOf: (file: string, values: Values) => T,
): FileCommand<T> {
  const { flags, files } = readFlags(argv, keys, words, true)
  if (flags.has('help')) return { kind: 'help' }
  const [file, more] = files
  if (file === undefined || file === '') {
    throw bad('FILE', `It is not said which file: pnpm ${program} FILE. See --help.`)
  }
  if (more !== undefined) throw bad('FILE', `"${more}" is one file too many. See --help.`)
  const shared = new Map([...readConfigFile(join(folder, CONFIG_FILE)), ...readEnvironment(env)])
  const given = new Map([...shared].filter(([flag]) => flag === 'data'))
  return {
    kind: 'start',
    config: configOf(file, valuesOf(keys, new Map([...given, ...flags]))),
  }
}
