/**
 * Finds out at start what layout can run on. A device that is held costs memory of the GPU, so none is opened
 * before somebody watches; what a person is to read at start comes from a process that only looks, and ends.
 */
import { reasonOf } from '../events/errors.ts'
import { type AdapterAnswer, type Backend, backendFor, type GpuChoice } from './adapter.ts'
import { ProcessHandle, type Say } from './process-handle.ts'

/** A driver that is woken up takes seconds; one that takes longer would hold up the start. */
const PROBE_MS = 10_000

export interface ProbeOptions {
  gpu: GpuChoice
  say: Say
  /** How long the process that looks may take, in ms. */
  answerMs?: number
  /** Path of the module that it runs. */
  entry?: string
  /** Folder in which Node keeps its modules as it has compiled them. */
  compileCache?: string | null
}

/**
 * The engine that `--gpu` and this machine lead to.
 *
 * @throws TokenscopeError GPU_UNAVAILABLE if `webgpu` is asked for and cannot be had
 */
export async function findBackend({ gpu, ...options }: ProbeOptions): Promise<Backend> {
  if (gpu === 'cpu') return backendFor(gpu, { adapter: null, failure: null })
  return backendFor(gpu, await probeAdapter(options))
}

/** Has a process of its own ask for an adapter; whatever becomes of it is an answer. */
async function probeAdapter({
  answerMs = PROBE_MS,
  ...options
}: Omit<ProbeOptions, 'gpu'>): Promise<AdapterAnswer> {
  try {
    const answered = Promise.withResolvers<AdapterAnswer>()
    const handle = new ProcessHandle({
      ...options,
      answerMs,
      onAnswer: answer => answer.type === 'adapter' && answered.resolve(answer),
    })
    handle.send({ type: 'probe' })
    const ended = handle.ended.then(({ reason }) => failed(`the process that asked for a GPU ${reason}`))
    const { adapter, failure } = await Promise.race([answered.promise, ended])
    await handle.stop()
    return { adapter, failure }
  } catch (error) {
    return failed(`no process could be started to ask for a GPU: ${reasonOf(error)}`)
  }
}

function failed(failure: string): AdapterAnswer {
  return { adapter: null, failure }
}
