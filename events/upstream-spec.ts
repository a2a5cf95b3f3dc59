/**
 * What somebody says of an upstream when naming it: `URL[,priority=N][,max=N][,kind=K][,key-env=NAME][,resume=on]`.
 */
import { TokenscopeError } from './errors.ts'
import { withoutCredentials } from './source-url.ts'

/** What a model server can be; `openai` is any that speaks OpenAI's API and none of the others. */
export const UPSTREAM_KINDS = ['lmstudio', 'llamacpp', 'ollama', 'vllm', 'openai', 'demo'] as const

export type UpstreamKind = (typeof UPSTREAM_KINDS)[number]

export interface UpstreamSpec {
  /** A URL, or "demo" for the embedded model. */
  url: string
  /** Lower ones first. */
  priority: number
  /** Generations at once. */
  max: number
  /** Null to find out. */
  kind: UpstreamKind | null
  /** The upstream's own key, which nobody is shown; null if it has none. */
  key: string | null
  /** Whether its streams are resumed after a broken connection (llama.cpp). */
  resume: boolean
}

const DEFAULT_MAX = 10
const LARGEST_MAX = 10_000
const LARGEST_PRIORITY = 1000

/** Who named others beside it means it for when they are not there. */
const DEMO_PRIORITY = 1

const OPTIONS = ['priority', 'max', 'kind', 'key-env', 'resume'] as const
type Option = (typeof OPTIONS)[number]

/**
 * Reads one upstream.
 *
 * @param env where the key is looked up
 * @throws TokenscopeError CONFIG with one line that names what is wrong, without user, password or query
 */
export function parseUpstream(text: string, env: Readonly<Record<string, string | undefined>>): UpstreamSpec {
  const [url = '', ...parts] = text.split(',')
  const refuse = (why: string) => {
    const shown = withoutCredentials(text).replace(/[?#][^,]*/, '')
    return new TokenscopeError('CONFIG', `--upstream ${shown}: ${why}`, { param: '--upstream' })
  }
  const options = optionsOf(parts, refuse)
  const isDemo = url === 'demo'
  if (!isDemo) checkUrl(url, refuse)
  for (const name of ['kind', 'key-env', 'resume'] as const) {
    if (isDemo && options.has(name)) throw refuse(`the embedded model has no ${name}.`)
  }
  return {
    url,
    priority: wholeNumber(options, 'priority', isDemo ? DEMO_PRIORITY : 0, 0, LARGEST_PRIORITY, refuse),
    max: wholeNumber(options, 'max', DEFAULT_MAX, 1, LARGEST_MAX, refuse),
    kind: isDemo ? 'demo' : kindOf(options, refuse),
    key: keyOf(options, env, refuse),
    resume: resumeOf(options, refuse),
  }
}

type Refuse = (why: string) => TokenscopeError

function optionsOf(parts: readonly string[], refuse: Refuse): Map<Option, string> {
  const options = new Map<Option, string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    const name = at < 0 ? part : part.slice(0, at)
    const known = OPTIONS.find(option => option === name)
    if (known === undefined) throw refuse(`there is no option "${name}"; there are ${OPTIONS.join(', ')}.`)
    if (at < 0 || at === part.length - 1) throw refuse(`${name} needs a value, as ${name}=….`)
    if (options.has(known)) throw refuse(`${name} is given twice.`)
    options.set(known, part.slice(at + 1))
  }
  return options
}

function checkUrl(text: string, refuse: Refuse): void {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw refuse('it must be an http(s) URL or "demo", as http://127.0.0.1:1234.')
  }
  // A secret on the command line is seen by everybody on the machine; key-env is the way for one.
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw refuse('it may have no user, query or fragment.')
  }
}

function wholeNumber(
  options: ReadonlyMap<Option, string>,
  name: Option,
  fallback: number,
  least: number,
  most: number,
  refuse: Refuse,
): number {
  const text = options.get(name)
  if (text === undefined) return fallback
  const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw refuse(`${name} is "${text}"; it must be a whole number from ${least} to ${most}.`)
}

function kindOf(options: ReadonlyMap<Option, string>, refuse: Refuse): UpstreamKind | null {
  const text = options.get('kind')
  if (text === undefined) return null
  const kind = UPSTREAM_KINDS.find(one => one === text)
  if (kind === undefined) throw refuse(`kind is "${text}"; it must be one of ${UPSTREAM_KINDS.join(', ')}.`)
  return kind
}

function keyOf(
  options: ReadonlyMap<Option, string>,
  env: Readonly<Record<string, string | undefined>>,
  refuse: Refuse,
): string | null {
  const name = options.get('key-env')
  if (name === undefined) return null
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw refuse(`key-env is "${name}", which is no name of a variable.`)
  const key = env[name]?.trim() ?? ''
  if (key === '') throw refuse(`the environment variable ${name}, named by key-env, is not set.`)
  // It goes into a header; its text is not repeated here.
  if (!/^[\x21-\x7e]+$/.test(key)) throw refuse(`the environment variable ${name} holds what is no key.`)
  return key
}

function resumeOf(options: ReadonlyMap<Option, string>, refuse: Refuse): boolean {
  const text = options.get('resume')
  if (text === undefined || text === 'off') return false
  if (text === 'on') return true
  throw refuse(`resume is "${text}"; it must be on or off.`)
}
