/**
 * The one table of options. Each is a flag `--<flag>`, an environment variable `TOKENSCOPE_<NAME>` and a
 * key of `tokenscope.config.json`; flag beats environment beats file.
 */
export interface ConfigKey {
  flag: string
  /** What stands after the flag in the help text; nothing: the flag is a switch, on if it is there. */
  value: string
  repeatable: boolean
  fallback: string
  meaning: string
}

export const CONFIG_KEYS = [
  {
    flag: 'upstream',
    value: 'URL|demo[,priority=N][,max=N][,kind=K][,key-env=NAME][,resume=on]',
    repeatable: true,
    fallback: 'http://127.0.0.1:1234',
    meaning: 'a model server to pass requests to, and how; "demo" is the embedded model',
  },
  {
    flag: 'source',
    value: 'URL',
    repeatable: true,
    fallback: '',
    meaning: 'a GET event stream of tokens to show as well, in the form of docs/sources.md',
  },
  { flag: 'host', value: 'HOST', repeatable: false, fallback: '127.0.0.1', meaning: 'address to listen on' },
  {
    flag: 'port',
    value: 'PORT',
    repeatable: false,
    fallback: '8787',
    meaning: 'port to listen on; if not named and taken, the next free one',
  },
  {
    flag: 'data',
    value: 'DIR',
    repeatable: false,
    fallback: '.tokenscope',
    meaning: 'data folder, one server at a time',
  },
  {
    flag: 'gpu',
    value: 'auto|webgpu|cpu',
    repeatable: false,
    fallback: 'auto',
    meaning:
      'what lays tokens out; "auto" is a hardware GPU if there is one, "webgpu" takes a software one, too',
  },
  {
    flag: 'drain-seconds',
    value: 'SECONDS',
    repeatable: false,
    fallback: '10',
    meaning: 'how long a stop waits for running generations',
  },
  {
    flag: 'retries',
    value: 'N',
    repeatable: false,
    fallback: '5',
    meaning: 'how often a request is sent again before the first byte of its answer',
  },
  {
    flag: 'first-token-timeout',
    value: 'SECONDS|off',
    repeatable: false,
    fallback: 'off',
    meaning: 'the longest silence before the first token; progress and pings break it',
  },
  {
    flag: 'silence-timeout',
    value: 'SECONDS|off',
    repeatable: false,
    fallback: 'off',
    meaning: 'the longest silence after the first token',
  },
  {
    flag: 'cache',
    value: 'on|off',
    repeatable: false,
    fallback: 'off',
    meaning: 'whether answers are kept and given again to who asks the same; --cache alone is on',
  },
  {
    flag: 'requests-per-minute',
    value: 'N|off',
    repeatable: false,
    fallback: 'off',
    meaning: 'how many POSTs a caller (a key, else an address) may send a minute, and at once after a rest',
  },
  {
    flag: 'tokens-per-minute',
    value: 'N|off',
    repeatable: false,
    fallback: 'off',
    meaning: 'how many tokens a caller may use a minute, prompts and answers together',
  },
  {
    flag: 'limit-wait',
    value: 'SECONDS',
    repeatable: false,
    fallback: '5',
    meaning: 'how long a request over a limit may wait for its turn; one that would wait longer gets 429',
  },
  {
    flag: 'max-clients',
    value: 'N',
    repeatable: false,
    fallback: '10000',
    meaning: 'how many viewers may be connected at once; 64 of them from one address, loopback exempt',
  },
  {
    flag: 'record',
    value: 'off|meta|full',
    repeatable: false,
    fallback: 'full',
    meaning: 'what is recorded of each generation: nothing, all but its words, or everything',
  },
  {
    flag: 'retention',
    value: 'AGE/SIZE|off',
    repeatable: false,
    fallback: '30d/5GB',
    meaning:
      'how long records are kept and how much of them, the oldest going first; AGE in m, h, d or w, SIZE in MB, GB or TB; either alone will do',
  },
  {
    flag: 'backup-every',
    value: 'DURATION|off',
    repeatable: false,
    fallback: 'off',
    meaning:
      'how often the records are backed up into the data folder, from 1m to 365d; the newest 7 are kept',
  },
  {
    flag: 'allow-origin',
    value: 'ORIGIN',
    repeatable: true,
    fallback: '',
    meaning: 'another origin whose pages may call',
  },
  {
    flag: 'allow-host',
    value: 'NAME',
    repeatable: true,
    fallback: '',
    meaning: 'another Host name to answer to',
  },
  {
    flag: 'log-level',
    value: 'LEVEL',
    repeatable: false,
    fallback: 'info',
    meaning: 'trace, debug, info, warn, error, fatal or silent',
  },
  {
    flag: 'dump-wgsl',
    value: 'DIR',
    repeatable: false,
    fallback: '',
    meaning: 'folder that shaders are written to, whole, as the GPU compiles them',
  },
  {
    flag: 'shm',
    value: 'DIR',
    repeatable: false,
    fallback: 'off',
    meaning: 'source tree to score, at the start and at each change while somebody watches',
  },
] as const satisfies readonly ConfigKey[]

export type ConfigFlag = (typeof CONFIG_KEYS)[number]['flag']

/** The options of the demo server by itself (`pnpm demo`): flags only. */
export const DEMO_KEYS = [
  {
    flag: 'port',
    value: 'PORT',
    repeatable: false,
    fallback: '1234',
    meaning: 'port to listen on; the default is LM Studio’s, where Tokenscope and apps look for a server',
  },
  {
    flag: 'kind',
    value: 'KIND',
    repeatable: false,
    fallback: 'demo',
    meaning: 'the server to be on paths without a prefix: demo, lmstudio, llamacpp, ollama or vllm',
  },
  {
    flag: 'rate',
    value: 'RATE',
    repeatable: false,
    fallback: '30',
    meaning: 'tokens per second of each answer; max is no limit',
  },
  {
    flag: 'fault',
    value: 'DIRECTIVES',
    repeatable: true,
    fallback: '',
    meaning: 'what every answer is to meet, as the header x-demo of a request has it',
  },
] as const satisfies readonly ConfigKey[]

export type DemoFlag = (typeof DEMO_KEYS)[number]['flag']

const DATA_KEY = {
  flag: 'data',
  value: 'DIR',
  repeatable: false,
  fallback: '.tokenscope',
  meaning: 'data folder; else as for a start, from TOKENSCOPE_DATA or tokenscope.config.json',
} as const satisfies ConfigKey

/** The options of `pnpm backup FILE`. */
export const BACKUP_KEYS = [DATA_KEY] as const satisfies readonly ConfigKey[]

export type BackupFlag = (typeof BACKUP_KEYS)[number]['flag']

/** The options of `pnpm restore FILE`. */
export const RESTORE_KEYS = [DATA_KEY] as const satisfies readonly ConfigKey[]

export type RestoreFlag = (typeof RESTORE_KEYS)[number]['flag']

/** The options of `pnpm replay FILE`. */
export const REPLAY_KEYS = [
  {
    flag: 'speed',
    value: 'SPEED',
    repeatable: false,
    fallback: '1',
    meaning: 'how many times as fast as it was recorded, from 0.25 to 1000, or unlimited',
  },
  {
    flag: 'url',
    value: 'URL',
    repeatable: false,
    fallback: '',
    meaning: 'where Tokenscope runs, if not the one that holds the data folder',
  },
  DATA_KEY,
] as const satisfies readonly ConfigKey[]

export type ReplayFlag = (typeof REPLAY_KEYS)[number]['flag']

/** The options of `pnpm shm [DIR]`: flags only. */
export const SHM_KEYS = [
  switchKey('json', 'one JSON object on one line'),
  switchKey('sarif', 'SARIF 2.1.0, for code scanning'),
  switchKey('html', 'one HTML file with matrix, treemap, cycles and history'),
  switchKey('dot', 'the parts and their imports as a graph for Graphviz'),
  switchKey('mermaid', 'the same as a flowchart of Mermaid'),
  switchKey('debug', 'the counts behind every number, and the formulas with them filled in'),
  {
    flag: 'output',
    value: 'FILE',
    repeatable: false,
    fallback: '',
    meaning: 'where the report is written to, if not to standard output',
  },
  switchKey('tests', 'tests are scored, too'),
  {
    flag: 'baseline',
    value: 'FILE',
    repeatable: false,
    fallback: '',
    meaning: 'the past to compare with; pas.baseline.json in DIR if not named',
  },
  switchKey(
    'write-baseline',
    'write the baseline, its history continued; with --gate only if that is passed',
  ),
  switchKey('gate', 'end with 1 on a new or larger cycle, or a score below the baseline’s by more than 0.01'),
  switchKey('watch', 'score again whenever something changes, until Ctrl-C'),
  {
    flag: 'since',
    value: 'REV',
    repeatable: false,
    fallback: '',
    meaning: 'only findings in files that changed since this commit',
  },
  {
    flag: 'threads',
    value: 'N',
    repeatable: false,
    fallback: 'auto',
    meaning: 'threads that read files, from 1 to 64; auto is one for each processor',
  },
  switchKey('no-color', 'no colours; also if NO_COLOR is set'),
] as const satisfies readonly ConfigKey[]

export type ShmFlag = (typeof SHM_KEYS)[number]['flag']

function switchKey<const T extends string>(flag: T, meaning: string) {
  return { flag, value: '', repeatable: false, fallback: '', meaning } as const
}
