import { Bench } from 'tinybench'

export interface MicroTask {
  /** A promise is waited for. */
  run: () => void | Promise<void>
  /** Before each run, not timed. */
  before?: () => void
}

/**
 * Milliseconds that one run of each task takes, by round. Within a round the tasks follow each other, so
 * that a slow moment of the machine hits all of them; a round's value is the mean, garbage collection
 * included.
 */
export async function microRounds<T extends string>(
  tasks: Record<T, MicroTask>,
  { rounds = 15, roundMs = 60, warmUpMs = 300 } = {},
): Promise<Record<T, number[]>> {
  const entries = Object.entries(tasks) as [T, MicroTask][]
  const times = Object.fromEntries(entries.map(([name]) => [name, [] as number[]])) as Record<T, number[]>
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({
      time: roundMs,
      iterations: 5,
      warmupTime: round === 0 ? warmUpMs : warmUpMs / 15,
      throws: true,
    })
    for (const [name, { run, before }] of entries) {
      const async = run.constructor.name === 'AsyncFunction'
      bench.add(name, run, { async, ...(before === undefined ? {} : { beforeEach: before }) })
    }
    for (const task of await bench.run()) {
      const { result } = task
      if (result.state !== 'completed') throw new Error(`${task.name} ended as ${result.state}`)
      times[task.name as T].push(result.latency.mean)
    }
  }
  return times
}
