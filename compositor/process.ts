/**
 * The compositor's process: it holds the GPU device and the tokens, lays them out, and answers questions about
 * them. It is a process of its own since Dawn can take the whole process with it, and since layout is not to hold
 * up the delivery of tokens. It knows nothing that its parent could not tell it again.
 */
import { flushCompileCache } from 'node:module'
import type { LayoutName, Placed, ViewAnswer, ViewQuestion } from '../broadcast/protocol/view.ts'
import { BinaryReader } from '../broadcast/protocol.ts'
import { reasonOf, TokenscopeError } from '../events/errors.ts'
import { type AdapterAnswer, adapterOf } from './adapter.ts'
import type { Engine } from './engine.ts'
import { CpuEngine } from './engine-cpu.ts'
import { WebgpuEngine } from './engine-webgpu.ts'
import { filteredBounds } from './frame/filtered-bounds.ts'
import type { FrameArtist } from './frame/frame.ts'
import type { FrameQuestion } from './frame/frame-question.ts'
import { openDevice, requestAdapter } from './gpu.ts'
import type { Batch, Done, PastBatch, Question, Reply, Request, StartOptions } from './messages.ts'
import { packAnswer } from './packed-answer.ts'
import { PastEntries } from './past-entries.ts'
import { Composition } from './view/composition.ts'

/** How long letting go of the device may take before the process ends without. */
const LET_GO_MS = 1000

class CompositorProcess {
  readonly #reader = new BinaryReader(undefined, false)
  readonly #past = new PastEntries()
  #engine: Promise<Engine> | null = null
  #device: GPUDevice | null = null
  #composition: Composition | null = null
  #artist: Promise<FrameArtist> | null = null
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
        this.#composition = new Composition({ engine: await this.#engine, maxPages: request.maxPages })
        await tell({ type: 'ready' })
        // For the next one, however this one ends.
        flushCompileCache()
        return
      }
      case 'past':
        return tell(await this.#appendPast(request))
      case 'batch':
        return tell(await this.#append(request))
      case 'watch':
        await this.#started.watch(new Set(request.layouts))
        return tell({ type: 'watched' })
      case 'stop':
        return this.end(0)
      default: {
        const reply = await this.#reply(request).catch(error => this.#refusal(request.id, error))
        // Of what ends the process nobody is told more than that: who asked asks the next one.
        if (!this.#ending) return tell(reply)
      }
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

  get #started(): Composition {
    if (this.#composition === null) throw new Error('asked before it was started')
    return this.#composition
  }

  async #appendPast({ bytes, upto }: PastBatch): Promise<Reply> {
    const begun = performance.now()
    const entries = this.#past.read(bytes)
    const { origin } = this.#past
    if (origin !== null) this.#started.beginAt(origin)
    await this.#started.append(entries, upto)
    return this.#done(begun, upto, new Map(), [])
  }

  async #append({ bytes, upto }: Batch): Promise<Reply> {
    const took = new Map<LayoutName, number>()
    const begun = performance.now()
    const placed = await this.#started.append(this.#reader.read(bytes), upto, took)
    return this.#done(begun, upto, took, placed)
  }

  #done(begun: number, upto: number, took: ReadonlyMap<LayoutName, number>, placed: Placed[]): Done {
    const now = performance.now()
    // A batch that came while another was at work did not begin before that one ended.
    const seconds = (now - Math.max(begun, this.#doneAt)) / 1000
    this.#doneAt = now
    const { tokens, dropped } = this.#started
    const layouts = Array.from(took, ([layout, ms]) => ({ layout, seconds: ms / 1000 }))
    const rss = process.memoryUsage.rss()
    return { type: 'done', upto, seconds, layouts, tokens, dropped, bytes: rss, placed }
  }

  async #reply(request: { id: number } & Question): Promise<Reply> {
    const { id, type, question } = request
    const composition = this.#started
    if (type === 'view') return { type: 'view', id, answer: packAnswer(await composition.view(question)) }
    if (type === 'pick') return { type: 'view', id, answer: packAnswer(await composition.pick(question)) }
    // Not at the top: what draws pictures takes longer to load than all the rest, and a restart is waited for.
    this.#artist ??= import('./frame/frame.ts').then(({ FrameArtist }) => new FrameArtist(this.#device))
    const artist = await this.#artist
    return { type: 'frame', id, png: await artist.draw(question, viewOf(composition, question)) }
  }

  /** What is said of a question that went wrong; the fault of a device that is lost is not its own. */
  async #refusal(id: number, error: unknown): Promise<Reply> {
    if (error instanceof TokenscopeError && error.code !== 'INTERNAL') {
      const { code, message, param } = error
      return { type: 'refused', id, code, message, param }
    }
    const device = this.#device
    await Promise.race([device?.lost, device?.queue.onSubmittedWorkDone().catch(() => {})])
    const message = `The compositor could not answer: ${reasonOf(error)}.`
    return { type: 'refused', id, code: 'INTERNAL', message, param: null }
  }

  async #createEngine({ backend, dump }: StartOptions): Promise<Engine> {
    if (backend === 'cpu') return new CpuEngine()
    const onFault = (reason: string) => void this.fail(reason)
    const { device } = await openDevice()
    this.#device = device
    return WebgpuEngine.create({ device, dump, onFault })
  }
}

/** What is looked at for a picture; what is fitted into it is what its filter leaves. */
function viewOf(composition: Composition, { x, y, zoom, filter, t }: FrameQuestion) {
  const view = (asked: ViewQuestion) => composition.view(asked)
  const fits = x === null || y === null || zoom === null
  if (!fits || (filter === null && t === null)) return view
  let narrowed: Promise<ViewAnswer['bounds']> | null = null
  return async (asked: ViewQuestion): Promise<ViewAnswer> => {
    const answer = await view(asked)
    if (answer.bounds === null) return answer
    narrowed ??= filteredBounds(asked, answer.bounds, view)
    return { ...answer, bounds: await narrowed }
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
