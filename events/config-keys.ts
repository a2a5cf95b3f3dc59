/**
 * The one table of options. Each is a flag `--<flag>`, an environment variable `TOKENSCOPE_<NAME>` and a
 * key of `tokenscope.config.json`; flag beats environment beats file.
 */
export interface ConfigKey {
  flag: string
  /** What stands after the flag in the help text. */
  value: string
  repeatable: boolean
  fallback: string
  meaning: string
}

export const CONFIG_KEYS = [
  {
    flag: 'upstream',
    value: 'URL|demo',
    repeatable: true,
    fallback: 'http://127.0.0.1:1234',
    meaning:
      'a model server to pass requests to, the first that answers is used; "demo" is the embedded model',
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
