import type { Engine, TokenPage } from './engine.ts'
import { layoutMap } from './map.ts'

/** The engine of a machine without a GPU, and the oracle of the one with it: the twins of the shaders. */
export class CpuEngine implements Engine {
  async layOut({ cells, places }: TokenPage, from: number, to: number): Promise<void> {
    layoutMap(cells, places, from, to)
  }

  release(): void {}

  async stop(): Promise<void> {}
}
