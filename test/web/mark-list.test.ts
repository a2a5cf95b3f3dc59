import fc from 'fast-check'
import { expect, it } from 'vitest'
import { QuadList } from '../../compositor/draw/quad-list.ts'
import type { SceneLayer } from '../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../compositor/draw/view-theme.ts'
import { MarkList, paintMarks } from '../../web/view/mark-list.ts'
import type { Marks, MarksContext } from '../../web/view/picture-layer.ts'

type Told = [name: string, ...what: unknown[]]

/** Marks that note all that they are told. */
class NotingMarks implements Marks {
  readonly told: Told[] = []
  readonly ctx = new Proxy({} as MarksContext, {
    get:
      (_target, name) =>
      (...what: unknown[]) =>
        this.told.push([String(name), ...what]),
    set: (_target, name, value) => {
      this.told.push([String(name), value])
      return true
    },
  })

  layer({ quads, runs }: SceneLayer, theme: ReturnType<typeof viewTheme>): void {
    const rects: number[][] = []
    quads.visit((...rect) => rects.push(rect))
    this.told.push(['layer', rects, runs, theme])
  }

  halo(...what: [string, number, number, number]): void {
    this.told.push(['halo', ...what])
  }
}

const word = fc.constantFrom('#ffffff', '#0a0e14', 'round', 'lighter', 'source-over')
const number = fc.double({ noNaN: true })
const pixel = fc.integer({ min: -5000, max: 5000 })
const told: fc.Arbitrary<Told> = fc.oneof(
  fc.tuple(
    fc.constantFrom('fillStyle', 'strokeStyle', 'lineJoin', 'lineCap', 'globalCompositeOperation'),
    word,
  ),
  fc.tuple(fc.constantFrom('globalAlpha', 'lineWidth'), number),
  fc.tuple(fc.constantFrom('fillRect', 'strokeRect'), number, number, number, number),
  fc.tuple(fc.constantFrom('moveTo', 'lineTo'), number, number),
  fc.tuple(fc.constantFrom('beginPath', 'stroke')),
  fc.tuple(fc.constant('halo'), word, number, number, number),
  fc.tuple(
    fc.constant('layer'),
    fc.array(fc.tuple(pixel, pixel, fc.nat({ max: 0xffffffff }), fc.nat(1)), { minLength: 1, maxLength: 5 }),
    fc.boolean(),
  ),
)

/** Tells marks what a `Told` says. */
function tell(marks: Marks, [name, ...what]: Told): void {
  if (name === 'halo') marks.halo(...(what as [string, number, number, number]))
  else if (name === 'layer') {
    const quads = new QuadList()
    const [rects, dark] = what as [[number, number, number, number][], boolean]
    for (const [x, y, colour, look] of rects) quads.add(x, y, x + 3, y + 2, colour, look)
    const runs = [{ text: 'a', x: 1, baseline: 2, size: 3, pitch: 4, ink: 5 }]
    marks.layer({ quads, runs }, viewTheme(dark ? 'dark' : 'light'))
  } else if (/^(fillRect|strokeRect|moveTo|lineTo|beginPath|stroke)$/.test(name))
    (marks.ctx[name as 'fillRect'] as (...what: unknown[]) => void)(...what)
  else (marks.ctx as unknown as Record<string, unknown>)[name] = what[0]
}

it('gives marks as they were told, in their order, over a clone, and each only once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(told, { maxLength: 400 }), { maxLength: 3 }), frames => {
      const list = new MarkList()
      for (const frame of frames) {
        const [direct, sent] = [new NotingMarks(), new NotingMarks()]
        for (const each of frame) tell(direct, each)
        for (const each of frame) tell(list, each)
        paintMarks(structuredClone(list.take()), sent)
        expect(sent.told).toEqual(direct.told)
      }
      expect(list.take().codes.length).toBe(0)
    }),
  )
})

it('does not send a layer with nothing on it', () => {
  const list = new MarkList()
  list.layer({ quads: new QuadList(), runs: [] }, viewTheme('dark'))
  expect(list.take()).toEqual({ codes: new Float64Array(), words: [], layers: [] })
})
