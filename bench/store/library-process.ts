/** Records that are there already, in a process of its own: how long it takes to open them and to find something. */
import { createMetrics } from '../../health/metrics.ts'
import type { ListQuestion } from '../../store/recording.ts'
import { Store } from '../../store/store.ts'
import { answer } from '../children.ts'
import { type Quantiles, quantilesOf } from '../figure.ts'
import { addBytes, addGenerations } from './library.ts'

let store: Store | null = null

const openIn = (folder: string) =>
  Store.open({
    folder,
    record: 'full',
    retention: { ageMs: null, bytes: null },
    meter: createMetrics(),
    say: () => {},
  })

answer({
  /** Makes records with so many generations, and so many bytes. */
  async fill({ folder, generations, bytes }: { folder: string; generations: number; bytes: number }) {
    await (await openIn(folder)).stop()
    if (bytes > 0) addBytes(folder, bytes)
    if (generations > 0) addGenerations(folder, generations)
  },

  /** Milliseconds until they are open. */
  async open(folder: string): Promise<number> {
    const begun = performance.now()
    store = await openIn(folder)
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
