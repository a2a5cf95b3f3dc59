import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeTile } from '../../../broadcast/protocol/tile-codec.ts'
import { TOKEN_TILES, type ViewAnswer, type ViewToken } from '../../../broadcast/protocol/view.ts'
import { scaleColour } from '../../../compositor/draw/colour-scale.ts'
import { strength } from '../../../compositor/draw/density-look.ts'
import { piecesOf } from '../../../compositor/draw/flow-look.ts'
import { wrapColumns } from '../../../compositor/draw/map-look.ts'
import { LOOK_HATCH } from '../../../compositor/draw/quad-list.ts'
import { mixed } from '../../../compositor/draw/rgba.ts'
import { formatSpan, formatTick, stepOf } from '../../../compositor/draw/time-format.ts'
import type { ViewCamera, ViewScene } from '../../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../../compositor/draw/view-theme.ts'
import { type WordedOptions, wordedScene } from '../../../compositor/draw/worded-scene.ts'
import { ORIGIN } from '../../support/view-answers.ts'

const CAMERA: ViewCamera = { x: 0, y: 0, zoom: 20, zoomY: 20, width: 400, height: 300 }
const DARK = viewTheme('dark')

const token = (more: Partial<ViewToken>): ViewToken => ({
  id: 'g:0',
  text: ' word',
  x: 0,
  y: 0,
  w: 1,
  kind: 'message',
  model: 0,
  confidence: 0.5,
  entropy: 1,
  interval_ms: 20,
  timestamp: ORIGIN,
  ...more,
})

const answerWith = (more: Partial<ViewAnswer>): ViewAnswer => ({
  layout: 'map',
  color: 'confidence',
  upto: 1,
  z: TOKEN_TILES,
  count: more.tokens?.length ?? 0,
  origin: ORIGIN,
  models: ['m'],
  bounds: [0, 0, 100, 100],
  tokens: [],
  tiles: [],
  ...more,
})

function sceneOf(
  answer: Partial<ViewAnswer>,
  camera: Partial<ViewCamera> = {},
  more: Partial<WordedOptions> = {},
) {
  return wordedScene(answerWith(answer), {
    camera: { ...CAMERA, ...camera },
    theme: DARK,
    scale: 'cividis',
    now: ORIGIN + 60,
    legend: false,
    narrowed: null,
    ...more,
  })
}

type Rect = [x: number, y: number, width: number, height: number, colour: number, look: number]
function quadsOf(scene: ViewScene, layer = 0): Rect[] {
  const rects: Rect[] = []
  scene.layers[layer]?.quads.visit((...rect) => rects.push(rect))
  return rects
}
const textsOf = (scene: ViewScene, layer = 0) => scene.layers[layer]?.runs.map(run => run.text) ?? []

describe('places on a picture', () => {
  it('are exact far from the corner of the map, at any zoom', () => {
    const far = { x: 60_000, y: 60_001 }
    const scene = sceneOf({ tokens: [token(far)] }, { x: 59_999.5, y: 60_000.25, zoom: 64, zoomY: 64 })
    expect(quadsOf(scene)[0]?.slice(0, 4)).toEqual([32, 48, 62, 62])
  })

  it('are exact 2^31 ms after the beginning, at 100 pixels a millisecond', () => {
    const tokens = [token({ x: 2 ** 31, y: 24, w: 2 })]
    const camera = { x: 2 ** 31 - 1.5, y: 0, zoom: 100, zoomY: 1 }
    const bar = quadsOf(sceneOf({ layout: 'timeline', tokens, bounds: null }, camera))[0]
    expect(bar?.slice(0, 4)).toEqual([150, 27, 199, 18])
    // A hundredth of a millisecond further it is one pixel further left.
    const moved = quadsOf(
      sceneOf({ layout: 'timeline', tokens, bounds: null }, { ...camera, x: camera.x + 0.01 }),
    )[0]
    expect(moved?.[0]).toBe(149)
  })

  it('are whole pixels near the picture, whatever the camera', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
    fc.assert(
      fc.property(
        fc.constantFrom('map' as const, 'flow' as const, 'timeline' as const),
        fc.integer({ min: 0, max: 2 ** 32 }),
        number(-3, 3),
        number(0.05, 200),
        (layout, x, offset, zoom) => {
          const tokens = [
            token({ x, y: 48, w: 5 }),
            token({ id: 'g:1', x: x + 700, y: 48, w: 5, confidence: null }),
          ]
          const scene = sceneOf({ layout, tokens }, { x: x + offset, y: 47, zoom, zoomY: zoom })
          for (const [left, top, width, height] of quadsOf(scene)) {
            for (const value of [left, top, width, height]) expect(Number.isInteger(value)).toBe(true)
            expect(Math.min(width, height)).toBeGreaterThan(0)
          }
        },
      ),
    )
  })

  it('leave no gap and no overlap between neighbouring cells of a tile', () => {
    const cells = Array.from({ length: 64 }, (_, i): [number, number, number] => [i, 1 + i, 30_000])
    const tiles = [{ z: 3, x: 0, y: 0, version: 1, count: 64, content: encodeTile({ cells }) }]
    const rects = quadsOf(sceneOf({ z: 3, tiles }, { zoom: 0.37, zoomY: 0.37, x: 3.3 }))
    for (const [i, [left]] of rects.entries()) {
      const before = rects[i - 1]
      if (before !== undefined) expect(left).toBe(before[0] + before[2])
    }
    expect(rects.length).toBeGreaterThan(60)
  })
})

describe('a map', () => {
  it('hatches what is not known, in no colour of the scale', () => {
    const scene = sceneOf({ tokens: [token({ confidence: null })] })
    expect(quadsOf(scene)[0]?.[5]).toBe(LOOK_HATCH)
  })

  it('has text in cells of 14 pixels and none in smaller ones', () => {
    const tokens = [token({ text: ' of' })]
    expect(textsOf(sceneOf({ tokens }, { zoom: 14, zoomY: 14 }))).toEqual(['of'])
    expect(textsOf(sceneOf({ tokens }, { zoom: 13, zoomY: 13 }))).toEqual([])
  })

  it('shows what one would not see, more quietly than letters', () => {
    const scene = sceneOf(
      { tokens: [token({ text: '\n' }), token({ text: 'a', x: 1 })] },
      { zoom: 48, zoomY: 48 },
    )
    expect(textsOf(scene)).toEqual(['↵', 'a'])
    const [sign, letter] = scene.layers[0]?.runs ?? []
    expect(sign?.ink).not.toBe(letter?.ink)
  })

  it.each([
    ['internationalization', 8, 2, ['internat', 'ionaliz…']],
    ['abc', 8, 2, ['abc']],
    ['日本語テキスト', 6, 2, ['日本語', 'テキ…']],
    ['abcdef', 2, 1, ['ab']],
  ])('wraps %s into cells', (text, columns, rows, expected) => {
    expect(wrapColumns(text, columns, rows).map(line => line.text)).toEqual(expected)
  })
})

describe('a flow', () => {
  const flow = { layout: 'flow' as const }
  const near = { zoom: 8, zoomY: 8 }

  it('writes a word where it lies, without the spaces before it', () => {
    const scene = sceneOf({ ...flow, tokens: [token({ x: 4, y: 2, text: ' word' })] }, near)
    const [run] = scene.layers[0]?.runs ?? []
    expect(run).toMatchObject({ text: 'word', x: 32, pitch: 8 })
  })

  it('goes on where a token goes on', () => {
    const pieces = piecesOf(token({ text: ' ab\ncd', x: 78, y: 0, wraps: [[4, 0, 2]] }))
    expect(pieces.map(({ x, y, columns, words }) => [x, y, columns, words.map(word => word.text)])).toEqual([
      [78, 0, 3, ['ab', '↵']],
      [0, 2, 2, ['cd']],
    ])
  })

  it('puts what follows a tab at the next stop of its panel', () => {
    const [piece] = piecesOf(token({ text: 'ab\tc', x: 96 + 3, y: 0 }))
    expect(piece?.words).toEqual([
      { column: 0, text: 'ab', sign: false },
      { column: 2, text: '→', sign: true },
      { column: 5, text: 'c', sign: false },
    ])
    expect(piece?.columns).toBe(6)
  })

  it('shows bars where text could not be read', () => {
    const scene = sceneOf({ ...flow, tokens: [token({ text: ' word', w: 4 })] }, { zoom: 3, zoomY: 3 })
    expect(textsOf(scene)).toEqual([])
    expect(quadsOf(scene).at(-1)?.[4]).toBe(scaleColour(0.5, 'cividis'))
  })

  it('lies on panels, near and far', () => {
    const close = quadsOf(
      sceneOf({ ...flow, tokens: [token({ x: 4, y: 2 })] }, { ...near, width: 900, height: 900 }),
    )
    expect(close[0]?.slice(0, 5)).toEqual([-8, -8, 8 + 84 * 8, 8 + (96 + 4) * 8, DARK.panel])
    const tiles = [{ z: 2, x: 1, y: 0, version: 1, count: 1, content: encodeTile({ cells: [[0, 1, 9]] }) }]
    const far = quadsOf(sceneOf({ ...flow, z: 2, tiles }, { zoom: 1, zoomY: 1, x: 150 }))
    // The cell at 256 is on the third panel.
    expect(far[0]?.slice(0, 5)).toEqual([192 - 4 - 150, -4, 88, 104, DARK.panel])
  })

  it('goes on from a panel to the one below with a hairline between them, and keeps off the edges else', () => {
    const below = token({ id: 'g:1', x: 4, y: 96 })
    const tokens = [token({ x: 4, y: 94 }), below, token({ id: 'g:2', x: 100, y: 96 })]
    const size = { width: 1700, height: 1700, x: -8, y: -8 }
    const panels = quadsOf(sceneOf({ ...flow, tokens }, { ...near, ...size }))
      .filter(([, , width]) => width === 88 * 8)
      .map(([left, top, , height, colour]) => [left / 8 - 8, top / 8 - 8, height / 8, colour])
    expect(panels).toEqual([
      [-4, -4, 100, DARK.panel],
      [-4, 96 - 1 / 8, 1 / 8, DARK.line],
      [-4, 96, 100, DARK.panel],
      [92, 92, 104, DARK.panel],
    ])
  })
})

describe('a timeline', () => {
  const lanes = { layout: 'timeline' as const, bounds: [0, 0, 9000, 48] as ViewAnswer['bounds'] }
  const stalled = [token({ x: 0, w: 20 }), token({ id: 'g:1', x: 1500, w: 20 })]

  it('leaves a hole where a generation stalls, and says how long it is', () => {
    const scene = sceneOf({ ...lanes, tokens: stalled }, { zoom: 0.2, zoomY: 1 })
    expect(textsOf(scene)).toContain('1.50 s')
    const bars = quadsOf(scene).filter(([, , , height]) => height > 1)
    expect(bars.map(([left, , width]) => [left, width])).toEqual([
      [0, 3],
      [300, 3],
    ])
  })

  it('tells of no stall between two generations in a lane', () => {
    const [first, second] = stalled as [ViewToken, ViewToken]
    const scene = sceneOf({ ...lanes, tokens: [first, { ...second, id: 'h:0' }] }, { zoom: 0.2, zoomY: 1 })
    expect(textsOf(scene)).toEqual([])
  })

  it('has an axis whose ticks tell their unit', () => {
    const texts = textsOf(
      sceneOf({ ...lanes, tokens: stalled }, { zoom: 0.2, zoomY: 1 }, { legend: true }),
      1,
    )
    expect(texts).toContain('1 s')
    expect(texts.some(text => /^since \d\d:\d\d:\d\d UTC$/.test(text))).toBe(true)
  })

  it.each([
    [1, 120, 200],
    [0.05, 120, 5000],
    [20, 120, 10],
    [1e-6, 100, 48 * 3_600_000],
  ])('steps at %d px/ms', (zoom, least, step) => {
    expect(stepOf(zoom, least)).toBe(step)
  })

  it.each([
    [300, 100, '300 ms'],
    [1200, 100, '1.2 s'],
    [61_250, 50, '1:01.25 min'],
    [15_000, 5000, '15 s'],
    [90_000, 30_000, '1:30 min'],
    [120_000, 60_000, '2 min'],
    [5_400_000, 1_800_000, '1:30 h'],
    [7_200_000, 3_600_000, '2 h'],
  ])('names tick %d of step %d', (ms, step, expected) => {
    expect(formatTick(ms, step)).toBe(expected)
  })

  it('tells spans in units of their size', () => {
    expect([640, 1500, 42_000, 90_000, 5_400_000].map(formatSpan)).toEqual([
      '640 ms',
      '1.50 s',
      '42.0 s',
      '1.5 min',
      '1.5 h',
    ])
  })
})

describe('density', () => {
  const cells: [number, number, number | null][] = [
    [0, 1, 65_534],
    [1, 100, 65_534],
    [2, 10, null],
  ]
  const tiles = [{ z: 0, x: 0, y: 0, version: 1, count: 111, content: encodeTile({ cells }) }]

  it('is the colour of the mean, the stronger the more tokens there are', () => {
    const [few, many, unknown] = quadsOf(sceneOf({ z: 0, tiles }, { zoom: 4, zoomY: 4 }))
    const colour = scaleColour(1, 'cividis')
    expect(many?.[4]).toBe(colour)
    expect(few?.[4]).toBe(mixed(DARK.ground, colour, strength(1, 100)))
    expect(unknown?.[5]).toBe(LOOK_HATCH)
    expect((unknown?.[4] as number) >>> 24).toBe(Math.round(255 * strength(10, 100)))
  })

  it('says in the legend how many tokens that is', () => {
    const texts = textsOf(sceneOf({ z: 0, tiles }, { zoom: 4, zoomY: 4, width: 900 }, { legend: true }), 1)
    expect(texts).toContain('1 … 100 tokens a cell')
    expect(texts).toContain('not given')
  })

  it('tells of it in a colour of the scale, and where colours are names in one of none', () => {
    const fullest = (color: ViewAnswer['color']) => {
      const scene = sceneOf({ z: 0, tiles, color }, { zoom: 4, zoomY: 4, width: 900 }, { legend: true })
      return quadsOf(scene, 1).map(([, , , , colour]) => colour)
    }
    expect(fullest('confidence')).toContain(scaleColour(0.7, 'cividis'))
    for (const color of ['kind', 'model'] as const) {
      expect(fullest(color)).not.toContain(scaleColour(0.7, 'cividis'))
      expect(fullest(color)).toContain(DARK.soft)
    }
  })

  it('shows what a page has from before of tiles that come without content', () => {
    const tile = { z: 0, x: 0, y: 0, version: 1, count: 1, content: null }
    const contentOf = () => ({ cells: [[5, 1, 0]] as [number, number, number][] })
    expect(quadsOf(sceneOf({ z: 0, tiles: [tile] }, {}, { contentOf })).length).toBe(1)
    expect(quadsOf(sceneOf({ z: 0, tiles: [tile] })).length).toBe(0)
  })
})

describe('an empty picture', () => {
  it.each([
    [null, 'filter' as const, 'No tokens yet.'],
    [[0, 0, 1, 1] as const, 'filter' as const, 'No token here passes the filter.'],
    [[0, 0, 1, 1] as const, 'time' as const, 'No tokens were here at that time.'],
    [[0, 0, 1, 1] as const, null, 'Nothing lies here.'],
  ])('says why', (bounds, narrowed, expected) => {
    const scene = sceneOf({ bounds: bounds as ViewAnswer['bounds'] }, { width: 800 }, { narrowed })
    expect(textsOf(scene, 1)[0]).toBe(expected)
  })
})
