import { batch, type Signal, signal } from '@preact/signals'
import type { PasReport } from '../../health/shm/report.ts'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'

/** Between one answer and the next question, in milliseconds: at rest, and while a scan runs. */
const REST_MS = 2000
const SCAN_MS = 500

/** What a feed asks. Each throws an Error whose message is a sentence for a person. */
export interface StructureServer {
  ask(): Promise<{ report: PasReport | null; standing: TreeStanding }>
  /** Has the tree scored again. */
  scan(): Promise<void>
  /** Whether somebody can see what is asked. */
  isSeen(): boolean
}

/** How the source tree stands, asked again and again while it is seen. What was known stays while the server cannot be asked. */
export class StructureFeed {
  readonly report: Signal<PasReport | null> = signal(null)
  /** Null: nothing is known yet. */
  readonly standing: Signal<TreeStanding | null> = signal(null)
  /** Why the last question or order came to nothing; null: it did not. */
  readonly trouble: Signal<string | null> = signal(null)
  readonly #server: StructureServer
  #timer: ReturnType<typeof setTimeout> | undefined
  #isRunning = false
  #isAsking = false
  /** Something changed while the answer was under way: it may be old news. */
  #again = false

  constructor(server: StructureServer) {
    this.#server = server
  }

  /** Begins to ask. Returns what ends it. */
  start(): () => void {
    this.#isRunning = true
    void this.look()
    return () => {
      this.#isRunning = false
      clearTimeout(this.#timer)
    }
  }

  /** Asks now, if it is seen; to be called when it comes to be. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#again = this.#isAsking
    if (!this.#isRunning || this.#isAsking || !this.#server.isSeen()) return
    this.#isAsking = true
    try {
      this.#take(await this.#server.ask())
    } catch (error) {
      this.trouble.value = (error as Error).message
    }
    this.#isAsking = false
    if (this.#again) return this.look()
    if (this.#isRunning) this.#timer = setTimeout(() => this.look(), this.isScanning ? SCAN_MS : REST_MS)
  }

  /** Has the tree scored again. */
  async scan(): Promise<void> {
    try {
      await this.#server.scan()
    } catch (error) {
      this.trouble.value = (error as Error).message
      return
    }
    await this.look()
  }

  /** Whether a scan runs, as far as is known. */
  get isScanning(): boolean {
    const standing = this.standing.value
    return standing?.state === 'scanning' || (standing?.progress ?? null) !== null
  }

  #take({ report, standing }: { report: PasReport | null; standing: TreeStanding }): void {
    const before = this.report.peek()
    const isSame =
      before?.ids.tree === report?.ids.tree && this.standing.peek()?.scanned_at === standing.scanned_at
    batch(() => {
      // What did not change is not drawn anew.
      if (!isSame || report === null) this.report.value = report
      this.standing.value = standing
      this.trouble.value = null
    })
  }
}
