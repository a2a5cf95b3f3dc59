/** Records that are there already, in a process of its own: how long it takes to open them and to find something. */
import { createMetrics } from '../../health/metrics.ts'
import type { ListQuestion } from '../../store/recording.ts'
import { Store } from '../../store/store.ts'
import { answer, removeFolder, temporaryFolder } from '../children.ts'
import { type Quantiles, quantilesOf } from '../figure.ts'
import { addBytes, addGenerations } from './library.ts'

const folder = temporaryFolder()
process.on('exit', () => removeFolder(folder))
let store: Store | null = null

const open = () =>
  Store.open({
    folder,
    record: 'full',
    retention: { ageMs: null, bytes: null },
    meter: createMetrics(),
    say: () => {},
  })

answer({
  folder: () => folder,

  /** Makes records with so many generations, and so many bytes. */
  async fill({ generations, bytes }: { generations: number; bytes: number }) {
    await (await open()).stop()
    if (bytes > 0) addBytes(folder, bytes)
    if (generations > 0) addGenerations(folder, generations)
  },

  /** Milliseconds until they are open. */
  async open(): Promise<number> {
    const begun = performance.now()
    store = await open()
    return performance.now() - begun
  },

  /** Milliseconds of each of several answers, and how many it had. */
  async ask({
    question,
    times,
  }: {
    question: ListQuestion
    times: number
  }): Promise<{ ms: Quantiles; items: number }> {
    const took: number[] = []
    let items = 0
    for (let i = 0; i < times; i++) {
      const begun = performance.now()
      items = ((await store?.records.list(question)) ?? { items: [] }).items.length
      took.push(performance.now() - begun)
    }
    return { ms: quantilesOf(took), items }
  },

  async close() {
    await store?.stop()
    store = null
  },
})
