import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CpuEngine } from '../../../compositor/engine-cpu.ts'
import { FlowLayout } from '../../../compositor/layout/flow-layout.ts'
import { mapPosition } from '../../../compositor/layout/map.ts'
import { MAX_IDLE } from '../../../compositor/tokens/generations.ts'
import { PAGE_BITS, PAGE_TOKENS } from '../../../compositor/tokens/record.ts'
import type { TokenPage } from '../../../compositor/tokens/token-page.ts'
import { TokenStore } from '../../../compositor/tokens/token-store.ts'
import type { LogEntry } from '../../../events/generation.ts'
import { stateEvent } from '../../support/hub-events.ts'
import { rounds } from '../../support/rounds.ts'
import { entriesOf, hostileTexts } from '../../support/token-text.ts'

/** An engine that notes which tokens it was told of as laid out elsewhere. */
class NotingEngine extends CpuEngine {
  readonly told = new Set<number>()
  readonly calls: string[] = []

  override wroteFlow(page?: TokenPage, first = 0, count = 0): void {
    if (page) for (let i = first; i < first + count; i++) this.told.add(page.number * PAGE_TOKENS + i)
  }

  override async flowAppend(...args: Parameters<CpuEngine['flowAppend']>): Promise<void> {
    this.calls.push('flowAppend')
    await super.flowAppend(...args)
  }
}

function layoutOf(width: number, maxPages = 4) {
  const store = new TokenStore({ maxPages })
  const engine = new NotingEngine()
  return { store, engine, flow: new FlowLayout({ store, engine, width }) }
}

/** The place of every token, by number. */
function places(store: TokenStore, flow: FlowLayout): Map<number, string> {
  const all = new Map<number, string>()
  for (const { slot } of store.generations) {
    for (let n = store.tokenAt(slot, 0); n >= 0; n = store.next(n)) all.set(n, String(flow.placeOf(n)))
  }
  return all
}

describe('the flow layout of a store', () => {
  it('tells exactly the tokens that moved, and the engine of all that it wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(hostileTexts, { minLength: 2, maxLength: 6, size: 'max' }),
        fc.constantFrom(4, 9, 30),
        fc.constantFrom(0, 4094, 4095),
        fc.integer({ min: 1, max: 50 }),
        async (texts, width, firstBlock, batch) => {
          const { store, flow, engine } = layoutOf(width)
          const entries = entriesOf(texts, { firstBlock })
          for (let at = 0; at < entries.length; at += batch) {
            const before = places(store, flow)
            engine.told.clear()
            await flow.append(store.append(entries.slice(at, at + batch)))
            const after = places(store, flow)
            const moved = [...before].filter(([n, place]) => after.get(n) !== place).map(([n]) => n)
            expect([...flow.moved].sort()).toEqual(moved.sort())
            const added = [...after.keys()].filter(n => !before.has(n))
            expect([...engine.told].sort()).toEqual([...moved, ...added].sort())
          }
        },
      ),
      { numRuns: rounds(200) },
    )
  })

  it('moves a word with the tokens of it that lie in the page before', async () => {
    const { store, flow } = layoutOf(10)
    // The last token of the page is the beginning of a word that grows over the line's end.
    const text = [...Array.from({ length: 254 }, () => ''), 'aaaa', ' bb', 'cc', 'ddd']
    const entries = entriesOf([text], { firstBlock: 4095, final: false })
    for (const entry of entries.slice(0, -1)) await flow.append(store.append([entry]))
    expect([...store.pages.keys()]).toEqual([0, 1])
    const b = PAGE_TOKENS - 1
    expect(flow.placeOf(b)).toEqual([5, 0])
    expect(flow.placeOf(store.next(b))).toEqual([7, 0])
    await flow.append(store.append(entries.slice(-1)))
    expect(flow.placeOf(b)).toEqual([0, 2])
    expect(flow.placeOf(store.next(b))).toEqual([2, 2])
    expect(flow.moved).toEqual([store.next(b), b])
  })

  it('has a large batch laid out by the engine, a small one not', async () => {
    const { store, flow, engine } = layoutOf(80)
    const text = Array.from({ length: 5000 }, (_, i) => ` ${i}`)
    const entries = entriesOf([text])
    await flow.append(store.append(entries.slice(0, 100)))
    expect(engine.calls).toEqual([])
    await flow.append(store.append(entries.slice(100)))
    expect(engine.calls).toEqual(['flowAppend'])
    const appended = places(store, flow)
    await flow.reflow()
    expect(places(store, flow)).toEqual(appended)
  })

  it('puts lines into panels as they are reached, and panels along the curve', async () => {
    const { store, flow } = layoutOf(16)
    expect(flow.panelSide).toBe(32)
    expect(flow.panelLines).toBe(16)
    // 40 lines of g0, then of g1: three panels each, one after the other.
    const text = Array.from({ length: 40 }, (_, i) => `${i}\n`)
    await flow.append(store.append(entriesOf([text])))
    const before = places(store, flow)
    await flow.append(store.append(entriesOf([[], text], { firstBlock: 1 })))
    expect(flow.panels).toBe(6)
    for (const [n, place] of before) expect(String(flow.placeOf(n))).toBe(place)
    expect(Array.from({ length: 6 }, (_, panel) => flow.panelOwner(panel))).toEqual([
      { slot: 0, ordinal: 0 },
      { slot: 0, ordinal: 1 },
      { slot: 0, ordinal: 2 },
      { slot: 1, ordinal: 0 },
      { slot: 1, ordinal: 1 },
      { slot: 1, ordinal: 2 },
    ])
    for (let line = 0; line < 40; line++) {
      const panel = 3 + Math.floor(line / 16)
      const [x, y] = mapPosition(panel)
      expect(flow.placeOf(store.tokenAt(1, line))).toEqual([x * 32, y * 32 + (line % 16) * 2])
    }
  })

  it('comes back where it was after it was let go', async () => {
    const { store, flow } = layoutOf(20)
    const texts = Array.from({ length: 5 }, () =>
      Array.from({ length: 700 }, (_, i) => (i % 50 === 49 ? '\n' : ` ${i}`)),
    )
    const entries = entriesOf(texts, { seed: 7 })
    for (let at = 0; at < entries.length; at += 100)
      await flow.append(store.append(entries.slice(at, at + 100)))
    const before = places(store, flow)
    flow.release()
    for (const page of store.pages.values()) expect(page.flow).toBeNull()
    await flow.reflow()
    expect(places(store, flow)).toEqual(before)
  })

  it('takes lines of 2 to 1,023 columns', async () => {
    for (const width of [1, 1024, 2.5, Number.NaN]) expect(() => layoutOf(width)).toThrow(RangeError)
    const { store, flow } = layoutOf(1023)
    await flow.append(store.append(entriesOf([['a'.repeat(1023), 'b']])))
    expect(flow.placeOf(store.tokenAt(0, 1))).toEqual([0, 2])
  })

  it('counts lines anew after 2^22 of them', async () => {
    const { store, flow } = layoutOf(10)
    await flow.append(store.append(entriesOf([['a', '\n'.repeat(2 ** 22 + 3), 'b']])))
    const [x, y] = flow.placeOf(store.tokenAt(0, 0))
    expect(flow.placeOf(store.tokenAt(0, 2))).toEqual([x, y + 6])
  })

  it('goes on after the oldest page is gone', async () => {
    const { store, flow } = layoutOf(10, 2)
    const text = Array.from({ length: 600 }, () => 'ab')
    const entries = entriesOf([text], { firstBlock: 4095, final: false })
    const other = entriesOf([['x']], { firstBlock: 2 * 4096 }).map(entry => ({ ...entry, generation: 'x' }))
    for (const entry of entries.slice(0, 590)) await flow.append(store.append([entry]))
    for (const entry of [...other, ...entries.slice(590)]) await flow.append(store.append([entry]))
    expect([...store.pages.keys()]).toEqual([1, 2])
    const n = store.tokenAt(0, 599)
    expect(n >>> PAGE_BITS).toBe(1)
    const line = Math.floor((599 * 2) / 10)
    expect(flow.placeOf(n)).toEqual(flow.worldOf(0, (599 * 2) % 10, line))
    await flow.reflow()
    expect(flow.placeOf(store.tokenAt(0, 256))).toEqual(flow.worldOf(0, 0, 0))
  })

  it('gives the panels of generations that are forgotten to others', async () => {
    const { store, flow } = layoutOf(10, 1)
    const tell = async (entries: readonly LogEntry[]) => flow.append(store.append(entries))
    // Lines enough for three panels, the last one begun with an open word.
    await tell(entriesOf([['\n'.repeat(2 * flow.panelLines), 'open']]))
    await tell(entriesOf([['x']], { firstBlock: 4096 }).map(entry => ({ ...entry, generation: 'x' })))
    expect(flow.panels).toBe(4)
    await tell(Array.from({ length: MAX_IDLE }, (_, i) => ({ seq: 9, ...stateEvent(`idle${i}`, 'queued') })))
    expect(store.generations.filter(({ id }) => id === 'g0')).toEqual([])
    for (let panel = 0; panel < 3; panel++)
      expect(store.generations[flow.panelOwner(panel).slot]).toBe(undefined)
    // It has the slot of the one that was forgotten, and nothing of its text.
    const last = `idle${MAX_IDLE - 1}`
    const again = entriesOf([['\n'.repeat(3 * flow.panelLines), 'y']], { firstBlock: 4097 })
    await tell(again.map(entry => ({ ...entry, generation: last })))
    const row = store.generations[store.slotOf(4097 * 256)]
    expect(row).toMatchObject({ slot: 0, id: last, panels: expect.arrayContaining([0, 1, 2, 4]) })
    expect(flow.panels).toBe(5)
    for (const [ordinal, panel] of row?.panels.entries() ?? [])
      expect(flow.panelOwner(panel)).toEqual({ slot: row?.slot, ordinal })
    expect(flow.placeOf(4097 * 256)).toEqual(flow.panelOrigin(row?.panels[0] as number))
  })
})
