import { WebgpuEngine } from '../../compositor/engine-webgpu.ts'
import { openDevice } from '../../compositor/gpu.ts'
import { GpuTimer } from '../../compositor/gpu-timer.ts'
import { FLOW_WIDTH, FlowLayout, fragmentsOf } from '../../compositor/layout/flow-layout.ts'
import { CARRY_WORDS } from '../../compositor/layout/flow-words.ts'
import { PAGE_TOKENS } from '../../compositor/tokens/record.ts'
import { TokenStore } from '../../compositor/tokens/token-store.ts'
import { generationTable } from '../../compositor/view/generation-table.ts'
import { ALL_KINDS, NO_TIME, type TilesRequest } from '../../compositor/view/tiles-request.ts'
import { type Figure, figureOf, median } from '../figure.ts'
import { Corpus } from './corpus.ts'

const MILLION = 1_000_000
/** A software adapter is there for correctness. */
const ON_SOFTWARE = 65_536
const ROUNDS = 7
const BATCH = 65_536
const COPIED_BYTES = 64 * 1024 * 1024

/**
 * What layouts and tiles take on the GPU, by its own clock, from data that is there.
 *
 * @param rates tokens a µs of the CPU's twins, to compare with; empty if they were not measured
 */
export async function gpuFigures(rates: Readonly<Record<string, readonly number[]>>): Promise<Figure[]> {
  const { adapter, device } = await openDevice({ timestamps: true })
  const timer = new GpuTimer(device)
  const engine = await WebgpuEngine.create({
    device,
    dump: null,
    timer,
    onFault(reason) {
      throw new Error(reason)
    },
  })
  try {
    const tokens = adapter.software ? ON_SOFTWARE : 10 * MILLION
    const name = adapter.software ? '64 Ki tokens' : '10M tokens'
    const note = `on ${adapter.name}${adapter.software ? ', a software adapter: these times mean nothing' : ''}`
    const store = new TokenStore({ maxPages: Number.POSITIVE_INFINITY })
    const corpus = new Corpus()
    while (store.size < tokens) store.append(corpus.entries(Math.min(BATCH, tokens - store.size)))
    const pages = [...store.pages.values()]
    const flow = new FlowLayout({ store, engine })
    await flow.reflow()
    const fragments = pages.map(page => fragmentsOf(page))
    const carries = new Uint32Array(store.generations.length * CARRY_WORDS)
    const lanes = Uint32Array.from(store.generations, ({ lane }) => lane)
    const side = 1600
    const request: TilesRequest = {
      layout: 'map',
      color: 'confidence',
      z: Math.ceil(Math.log2(Math.sqrt(tokens * 2) / side)) + 1,
      left: 0,
      top: 0,
      width: side,
      height: 900,
      t: NO_TIME,
      since: 0,
      kinds: ALL_KINDS,
      ...generationTable(store, null),
      panelSide: flow.panelSide,
    }
    request.z = Math.max(0, request.z)

    /** Milliseconds of GPU time by round, added up over calls. */
    const timed = async (calls: () => AsyncIterable<unknown>): Promise<number[]> => {
      const times: number[] = []
      for (let round = -2; round < ROUNDS; round++) {
        let spent = 0
        for await (const _call of calls()) spent += timer.last ?? Number.NaN
        if (round >= 0) times.push(spent)
      }
      return times
    }
    const reflow = await timed(async function* () {
      carries.fill(0)
      for (const [i, page] of pages.entries()) {
        yield engine.reflow(page, fragments[i] as Uint32Array, carries, FLOW_WIDTH)
      }
    })
    const tiles = await timed(async function* () {
      yield engine.tiles(request, pages)
    })
    const map = await timed(async function* () {
      for (const page of pages) yield engine.places('map', page, lanes, 0, PAGE_TOKENS)
    })
    const copied = await timer.copyBandwidth(COPIED_BYTES)
    const places = pages.length * PAGE_TOKENS
    const shares = map.map(ms => (places * 4) / (ms / 1000) / copied)
    const wants = (target: number) => (adapter.software ? {} : { target })
    const lower = { unit: 'ms', better: 'lower', note } as const
    const higher = { unit: '×', better: 'higher', note } as const
    const figures = [
      figureOf(`${name}, flow all anew, GPU`, reflow, { ...lower, ...wants(5) }),
      figureOf(`${name}, recoloured tiles, GPU`, tiles, { ...lower, ...wants(2) }),
      figureOf(`${name}, map, GPU`, map, lower),
      figureOf('… of the bandwidth of a copy', shares, { ...higher, ...wants(0.6) }),
    ]
    const cpu = rates['flow, all anew']
    if (cpu !== undefined && !adapter.software) {
      const times = reflow.map(ms => tokens / 1000 / ms / median(cpu))
      figures.push(figureOf('… flow, times the CPU’s twin', times, { ...higher, target: 10 }))
    }
    return figures
  } finally {
    await engine.stop()
  }
}
