import { join } from 'node:path'
import { createCanvas, loadImage } from '@napi-rs/canvas'
import { describe, expect, it } from 'vitest'
import { LAYOUTS, type ViewQuestion } from '../../broadcast/protocol/view.ts'
import type { FrameQuestion } from '../../compositor/frame/frame-question.ts'
import { caughtUp, pidOf, readAll, useCompositor } from '../support/composed.ts'
import { noGpu } from '../support/gpu.ts'
import { rounds } from '../support/rounds.ts'
import { soon } from '../support/soon.ts'

const SILENT = join(import.meta.dirname, '../support/stand-in-process.ts')
const compose = useCompositor()
const MAP: ViewQuestion = { layout: 'map', x: 0, y: 0, w: 512, h: 512, zoom: 8 }
const WORDS = ['Wherever', ' you', ' go', ',\n', ' there', ' you', ' are', '.', ' 漢字', '\n\n']
const wordAt = (index: number) => WORDS[index % WORDS.length] as string

describe('what is asked of the compositor', () => {
  it('is answered though nobody watches; the layout is laid out for a while', async () => {
    const composed = compose({ holdMs: 50 })
    composed.say('g_a', 5)
    const { tokens, upto } = await composed.compositor.view(MAP)
    expect([tokens.length, upto]).toEqual([5, 6])
    await soon(() => expect(composed.compositor.report().facts?.layouts).toEqual([]))
    composed.say('g_b', 5)
    expect((await composed.compositor.view(MAP)).tokens.length).toBe(10)
    expect(composed.said).toEqual([])
  })

  it('is refused if it is no question, whatever else is asked', async () => {
    const { compositor, said } = compose()
    for (const [field, value] of [
      ['zoom', Number.NaN],
      ['zoom', 0],
      ['zoom', -1],
      ['w', Number.POSITIVE_INFINITY],
      ['x', Number.NaN],
      ['layout', 'globe'],
      ['color', 'smell'],
    ]) {
      const question = { ...MAP, [field as string]: value, have: [] }
      await expect(compositor.view(question)).rejects.toMatchObject({ code: 'BAD_REQUEST', param: field })
    }
    const pick = { layout: 'map' as const, x: Number.NaN, y: 0 }
    await expect(compositor.pick(pick)).rejects.toMatchObject({ code: 'BAD_REQUEST', param: 'x' })
    expect(said).toEqual([])
  })

  it('is refused if the process cannot work with it, which goes on', async () => {
    const composed = compose()
    composed.say('g_a', 5)
    const broken = { ...MAP, filter: { generations: 5 as never } }
    await expect(composed.compositor.view(broken)).rejects.toMatchObject({ code: 'INTERNAL' })
    expect((await composed.compositor.view(MAP)).tokens.length).toBe(5)
    expect(composed.compositor.report().facts?.restarts).toBe(0)
  })

  it('is picked where it is seen', async () => {
    const composed = compose()
    composed.say('g_a', 100)
    for (const { id, x, y } of await readAll(composed, 'map')) {
      const { tokens, tiles } = await composed.compositor.pick({ layout: 'map', x: x + 0.5, y: y + 0.5 })
      expect([tokens.map(token => token.id), tiles]).toEqual([[id], []])
    }
  })

  it('comes in tiles once for all who ask; who has one does not get it again', async () => {
    const composed = compose()
    composed.say('g_a', 1000)
    const question = { ...MAP, have: [] }
    const [one, two] = await Promise.all([
      composed.compositor.view(question),
      composed.compositor.view(question),
    ])
    expect(one.tiles.length).toBeGreaterThan(0)
    expect(two.tiles).toEqual(one.tiles)
    expect(one.tiles.every(({ content }) => content !== null)).toBe(true)
    const later = await composed.compositor.view(question)
    expect(later.tiles).toEqual(one.tiles)
    // The very bytes of before: they did not come again.
    for (const [at, { content }] of later.tiles.entries()) expect(content).toBe(one.tiles[at]?.content)
    const have = one.tiles.map(({ z, x, y, version }): [number, number, number, number] => [z, x, y, version])
    const had = await composed.compositor.view({ ...MAP, have })
    expect(had.tiles).toEqual(one.tiles.map(tile => ({ ...tile, content: null })))
    composed.say('g_b', 1000)
    await caughtUp(composed)
    const after = await composed.compositor.view({ ...MAP, have })
    expect(after.tiles.some(({ content }) => content !== null)).toBe(true)
  })

  it('says whether a generation is shown', async () => {
    const { compositor, say } = compose()
    say('g_a', 3)
    say('g_empty', 0)
    const shown = ['g_a', 'g_empty', 'g_b'].map(id => compositor.shows(id, 'flow'))
    expect(await Promise.all(shown)).toEqual([true, false, false])
    // What is in the log already is in the answer.
    say('g_b', 3)
    expect(await compositor.shows('g_b', 'flow')).toBe(true)
  })

  it('is told of as it is laid out, once, in the order of the log', async () => {
    const composed = compose()
    composed.say('g_before', 10)
    composed.watch('flow', 'timeline')
    const told: Record<string, string[]> = { flow: [], timeline: [] }
    composed.compositor.onPlaced(({ layout, tokens }) => {
      for (const { id, text } of tokens) if (text.startsWith('word')) told[layout]?.push(id)
    })
    const ids = Array.from({ length: 2000 }, (_, i) => `g_a:${i}`)
    // Every word is a line of its own: none moves afterwards.
    composed.say('g_a', 2000, index => `word ${index}\n`)
    await caughtUp(composed)
    expect(told.timeline).toEqual(ids)
    expect(told.flow).toEqual(ids)
  })

  it('is refused once it has waited too long for a process', async () => {
    const { compositor } = compose({ standIn: 'crash', waitMs: 50 })
    await expect(compositor.view(MAP)).rejects.toMatchObject({ code: 'COMPOSITOR_UNAVAILABLE', status: 503 })
  })

  it('is refused if process after process ends over it, and the rest is not', async () => {
    const composed = compose({ standIn: 'poisoned' })
    composed.say('g_a', 5)
    const pick = composed.compositor.pick({ layout: 'map', x: 0, y: 0 })
    await expect(pick).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'The compositor’s process ended with code 3 over this.',
    })
    expect((await composed.compositor.view(MAP)).tokens.length).toBe(5)
    expect(composed.compositor.report().facts?.restarts).toBe(3)
  })

  it('is refused when Tokenscope stops', async () => {
    const composed = compose({ process: { entry: SILENT, stopMs: 100 }, standIn: 'silent' })
    const refused = expect(composed.compositor.view(MAP)).rejects.toMatchObject({ code: 'DRAINING' })
    await composed.compositor.stop()
    await refused
    await expect(composed.compositor.view(MAP)).rejects.toMatchObject({ code: 'DRAINING' })
  })
})

describe.each(['cpu', 'webgpu'] as const)('a picture, drawn by %s', backend => {
  describe.skipIf(backend === 'webgpu' && noGpu)(`of what there is ${noGpu ?? ''}`, () => {
    const WHOLE: FrameQuestion = {
      layout: 'flow',
      color: 'confidence',
      x: null,
      y: null,
      zoom: null,
      zoom_y: null,
      w: 640,
      h: 360,
      t: null,
      filter: null,
      theme: 'dark',
      scale: 'cividis',
    }

    it('is a PNG of the size that was asked for, once for all who ask at the same time', async () => {
      const composed = compose({ backend })
      composed.say('g_a', 300, wordAt)
      const [one, two] = await Promise.all([1, 2].map(() => composed.compositor.frame(WHOLE)))
      expect(two).toBe(one)
      const { width, height } = await loadImage(one as Uint8Array)
      expect([width, height]).toEqual([640, 360])
      expect(composed.said).toEqual([])
    })

    it('shows what its filter leaves as large as if that were all', async () => {
      const composed = compose({ backend })
      composed.say('g_a', 300, wordAt)
      const alone = await composed.compositor.frame(WHOLE)
      for (const generation of ['g_b', 'g_c', 'g_d', 'g_e']) composed.say(generation, 300, wordAt)
      const filter = { generations: ['g_a'] }
      const among = await composed.compositor.frame({ ...WHOLE, filter })
      expect(await writtenIn(among)).toEqual(await writtenIn(alone))
    })
  })
})

/** The part of a picture's upper half in which most is written: the box of its bright pixels. */
async function writtenIn(png: Uint8Array): Promise<number[]> {
  const image = await loadImage(png)
  const context = createCanvas(image.width, image.height).getContext('2d')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, image.width, image.height / 2)
  const box = [image.width, image.height, 0, 0]
  for (let at = 0; at < data.length; at += 4) {
    if ((data[at] as number) + (data[at + 1] as number) < 300) continue
    const [x, y] = [(at / 4) % image.width, Math.floor(at / 4 / image.width)]
    box[0] = Math.min(box[0] as number, x)
    box[1] = Math.min(box[1] as number, y)
    box[2] = Math.max(box[2] as number, x)
    box[3] = Math.max(box[3] as number, y)
  }
  return box
}

describe.each(['cpu', 'webgpu'] as const)('a process that ends, on %s', backend => {
  describe.skipIf(backend === 'webgpu' && noGpu)(`with questions open ${noGpu ?? ''}`, () => {
    async function filled(options: Parameters<typeof compose>[0] = {}) {
      const composed = compose({ backend, maxEnds: Number.POSITIVE_INFINITY, ...options })
      for (const generation of ['g_a', 'g_b', 'g_c']) composed.say(generation, 700, wordAt)
      composed.watch(...LAYOUTS)
      await caughtUp(composed)
      return composed
    }

    it('is missed by nobody: killed, the next one answers the same', async () => {
      const composed = await filled()
      const before = await Promise.all(LAYOUTS.map(layout => readAll(composed, layout)))
      expect(before.map(({ length }) => length)).toEqual([2100, 2100, 2100])
      const pid = pidOf(composed) as number
      // It cannot answer before it is killed.
      process.kill(pid, 'SIGSTOP')
      const asked = Promise.all(LAYOUTS.map(layout => readAll(composed, layout)))
      composed.say('g_d', 0)
      process.kill(pid, 'SIGKILL')
      expect(await asked).toEqual(before)
      expect(composed.compositor.report().facts?.restarts).toBe(1)
    })

    const heap = { process: { execArgv: ['--max-old-space-size=60'] } }
    const ends = [
      // The second question that each process is asked is its last.
      ['aborts over a question', 2, { standIn: 'abort' }],
      ['has no memory left in mid-question', 2, { standIn: 'hungry-asked', ...heap }],
      ['has no memory left in mid-stream', 1, { standIn: 'hungry', ...heap }],
      ...(backend === 'webgpu'
        ? ([
            ['has its device destroyed in mid-question', 2, { standIn: 'lost-asked' }],
            ['has its device destroyed in mid-stream', 1, { standIn: 'lost' }],
          ] as const)
        : []),
    ] as const
    // On the GPU, where a start takes seconds, every other one unless all are asked for.
    const every = backend === 'webgpu' ? 3 - rounds(2, 2) : 1
    it.each(ends.filter((_, i) => i % every === 0))(
      'is missed by nobody: it %s',
      async (_title, restarts, options) => {
        const composed = compose({ backend, maxEnds: Number.POSITIVE_INFINITY, ...options })
        composed.say('g_a', 700, wordAt)
        composed.watch(...LAYOUTS)
        await caughtUp(composed)
        const before = await readAll(composed, 'flow')
        expect(before.length).toBe(700)
        composed.say('g_b', 700, wordAt)
        const during = await readAll(composed, 'flow')
        expect(during.filter(({ id }) => id.startsWith('g_a'))).toEqual(before)
        await caughtUp(composed)
        const after = await readAll(composed, 'flow')
        expect(after.length).toBe(1400)
        expect(after.filter(({ id }) => id.startsWith('g_a'))).toEqual(before)
        expect(composed.compositor.report()).toMatchObject({ status: 'ok', facts: { restarts } })
      },
    )
  })
})
