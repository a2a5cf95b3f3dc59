/**
 * The compositor's process: it holds the GPU device and the pages of tokens, and lays them out. It is a
 * process of its own since Dawn can take the whole process with it, and since layout is not to hold up the
 * delivery of tokens. It knows nothing that its parent could not tell it again.
 */
import { reasonOf } from '../events/errors.ts'
import { type AdapterAnswer, adapterOf } from './adapter.ts'
import type { Engine } from './engine.ts'
import { CpuEngine } from './engine-cpu.ts'
import { WebgpuEngine } from './engine-webgpu.ts'
import { openDevice, requestAdapter } from './gpu.ts'
import type { Reply, Request, StartOptions } from './messages.ts'
import { TokenPages } from './token-pages.ts'

/** How long letting go of the device may take before the process ends without. */
const LET_GO_MS = 1000

class CompositorProcess {
  #engine: Promise<Engine> | null = null
  #pages: TokenPages | null = null
  /** `performance.now()` when the last batch was laid out. */
  #doneAt = 0
  #ending = false

  async answer(request: Request): Promise<void> {
    switch (request.type) {
      case 'probe':
        await tell({ type: 'adapter', ...(await askForAdapter()) })
        return this.end(0)
      case 'start': {
        this.#engine = this.#createEngine(request)
        this.#pages = new TokenPages({ ...request, engine: await this.#engine })
        return tell({ type: 'ready' })
      }
      case 'batch': {
        const begun = performance.now()
        await this.#started.append(request)
        const now = performance.now()
        // A batch that came while another was at work did not begin before that one ended.
        const seconds = (now - Math.max(begun, this.#doneAt)) / 1000
        this.#doneAt = now
        return tell({ type: 'done', seconds, kept: this.#started.size })
      }
      case 'places':
        return tell({ type: 'places', ...this.#started.placesOf(request.from, request.to) })
      case 'stop':
        return this.end(0)
    }
  }

  /** Ends because of what went wrong. */
  async fail(reason: string): Promise<void> {
    if (this.#ending) return
    await Promise.all([tell({ type: 'failed', reason }), this.end(1)])
  }

  /** Lets go of the device and ends; whatever the device does, it ends. */
  async end(code: number): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    setTimeout(() => process.exit(code), LET_GO_MS)
    const engine = await this.#engine?.catch(() => null)
    await engine?.stop()
    process.exit(code)
  }

  get #started(): TokenPages {
    if (this.#pages === null) throw new Error('asked before it was started')
    return this.#pages
  }

  async #createEngine({ backend, dump, pageTokens }: StartOptions): Promise<Engine> {
    if (backend === 'cpu') return new CpuEngine()
    const onFault = (reason: string) => void this.fail(reason)
    const { device } = await openDevice()
    return WebgpuEngine.create({ device, pageTokens, dump, onFault })
  }
}

/** Resolves when it has left this process, or cannot: `disconnect` tells of a parent that is gone. */
function tell(reply: Reply): Promise<void> {
  return new Promise(resolve => process.send?.(reply, undefined, undefined, () => resolve()))
}

async function askForAdapter(): Promise<AdapterAnswer> {
  try {
    const adapter = await requestAdapter()
    return { adapter: adapter === null ? null : adapterOf(adapter.info), failure: null }
  } catch (error) {
    return { adapter: null, failure: reasonOf(error) }
  }
}

const child = new CompositorProcess()
process.on('message', (request: Request) => {
  child.answer(request).catch(error => child.fail(reasonOf(error)))
})
process.on('disconnect', () => void child.end(0))
process.on('uncaughtException', error => void child.fail(reasonOf(error)))
// Ctrl-C and the end of a service reach the whole group; the parent decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
