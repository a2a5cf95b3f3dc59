import type { Engine } from './engine.ts'
import { flowAppend, flowFragments, flowNumber, flowShift } from './layout/flow.ts'
import { layoutMap } from './layout/map.ts'
import { layoutTimeline } from './layout/timeline.ts'
import type { TokenPage } from './tokens/token-page.ts'
import { sumTiles } from './view/tiles.ts'
import type { TilesRequest } from './view/tiles-request.ts'

/** The engine of a machine without a GPU, and the oracle of the one with it: the twins of the shaders. */
export class CpuEngine implements Engine {
  readonly backend = 'cpu'

  wrote(): void {}

  wroteFlow(): void {}

  async flowAppend(page: TokenPage, jobs: Uint32Array, carries: Uint32Array, width: number): Promise<void> {
    flowAppend(page, jobs, carries, width)
  }

  async reflow(page: TokenPage, fragments: Uint32Array, carries: Uint32Array, width: number): Promise<void> {
    flowFragments(page, fragments, carries, width)
    flowNumber(fragments, carries)
    flowShift(page, fragments)
  }

  async places(
    layout: 'map' | 'timeline',
    page: TokenPage,
    lanes: Uint32Array,
    first: number,
    end: number,
  ): Promise<Uint32Array> {
    const places = new Uint32Array((end - first) * (layout === 'map' ? 1 : 2))
    if (layout === 'map') layoutMap(page, places, first, end)
    else layoutTimeline(page, lanes, places, first, end)
    return places
  }

  async tiles(request: TilesRequest, pages: Iterable<TokenPage>): Promise<Uint32Array> {
    return sumTiles(request, pages)
  }

  release(): void {}

  async stop(): Promise<void> {}
}
