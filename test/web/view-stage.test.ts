import { describe, expect, it } from 'vitest'
import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { whole } from '../../compositor/draw/steps.ts'
import type { SceneLayer } from '../../compositor/draw/view-scene.ts'
import { viewTheme } from '../../compositor/draw/view-theme.ts'
import { MarkList } from '../../web/view/mark-list.ts'
import { type Picture, type PictureLayer, WAITING } from '../../web/view/picture-layer.ts'
import type { Look, ViewReply } from '../../web/view/view-feed.ts'
import { cameraOf } from '../../web/view/view-feed.ts'
import { type MoreTokens, ViewStage } from '../../web/view/view-stage.ts'

const LOOK: Look = {
  layout: 'map',
  color: 'confidence',
  filter: null,
  t: null,
  left: 0,
  top: 0,
  width: 200,
  height: 100,
  zoom: 20,
  zoomY: 20,
  ratio: 1,
  moving: false,
}
const STYLE = { theme: viewTheme('dark'), scale: 'cividis' as const, now: 0, paintUnder: () => {} }

function tokenAt(x: number): ViewToken {
  const rest = { kind: 'message', model: null, confidence: 0.5, entropy: null, interval_ms: null } as const
  return { id: `g_1:${x}`, text: 'a', x, y: 0, w: 1, timestamp: 0, ...rest }
}

function replyWith(tokens: ViewToken[]): ViewReply {
  const view = {
    layout: LOOK.layout,
    color: LOOK.color,
    z: -1,
    upto: tokens.length,
    models: [],
    tokens,
    tiles: [],
    bounds: null,
    origin: null,
  }
  return { look: LOOK, camera: cameraOf(LOOK), view: view as never }
}

/** A layer that keeps what was painted, and can fail. */
class KeepingLayer implements PictureLayer {
  readonly by = 'canvas2d'
  readonly marks = new MarkList()
  readonly ready = true
  readonly idle = true
  /** Whether another thread has not done its part yet. */
  waits = false
  readonly pictures = new Set<Picture>()
  readonly added: { picture: Picture; quads: number }[] = []
  fails = false

  add(picture: Picture, layer: SceneLayer): void {
    this.added.push({ picture, quads: layer.quads.count })
  }
  free(picture: Picture): void {
    this.pictures.delete(picture)
  }
  *paint(): Generator<unknown, Picture> {
    yield
    while (this.waits) yield WAITING
    if (this.fails) throw new Error('no memory')
    const picture = { width: 1, height: 1 }
    this.pictures.add(picture)
    yield
    return picture
  }
  paintNow(): Picture {
    return whole(this.paint() as Generator<void, Picture>)
  }
  show(): void {}
  present(): void {}
  stop(): void {}
}

const never: MoreTokens = (_view, from) => ({ tokens: [], next: from })
const forever = Number.POSITIVE_INFINITY

describe('the stage of a view', () => {
  it('shows an answer once its picture is made, and lets the one before go when it is told to', () => {
    const layer = new KeepingLayer()
    const stage = new ViewStage(layer, never)
    stage.take(replyWith([tokenAt(0)]), STYLE)
    expect(stage.work(0)).toBe(false)
    expect(stage.work(forever)).toBe(true)
    const first = stage.shown
    stage.take(replyWith([tokenAt(0), tokenAt(1)]), STYLE)
    expect(stage.shown).toBe(first)
    expect(stage.work(forever)).toBe(true)
    expect([stage.leaving, layer.pictures.size]).toEqual([first, 2])
    stage.leave()
    expect(layer.pictures).toEqual(new Set([stage.shown?.picture]))
    stage.stop()
    expect(layer.pictures.size).toBe(0)
  })

  it('adds to a picture what came since its answer, before it is seen and while it is', () => {
    const came = Array.from({ length: 100 }, (_, x) => tokenAt(x))
    const layer = new KeepingLayer()
    const stage = new ViewStage(layer, (_view, from, most) => {
      const tokens = came.slice(from, from + most)
      return { tokens, next: from + tokens.length }
    })
    stage.take(replyWith([tokenAt(0)]), STYLE)
    stage.work(forever)
    const picture = stage.shown?.picture
    expect(layer.added.every(added => added.picture === picture)).toBe(true)
    // Not all in one step.
    expect(layer.added.length).toBeGreaterThan(2)
    expect(stage.shown?.added).toBe(100)
    const before = layer.added.length
    stage.add(0)
    expect(layer.added.length).toBe(before)
    // What is seen is not changed for each one.
    came.push(tokenAt(1))
    stage.add(1000)
    came.push(tokenAt(2))
    stage.add(1249)
    expect(stage.shown?.waiting.map(({ x }) => x)).toEqual([1, 2])
    expect(layer.added.length).toBe(before)
    stage.add(1250)
    expect(stage.shown?.waiting).toEqual([])
    expect(layer.added.length).toBe(before + 1)
    expect(layer.added.at(-1)?.quads).toBeGreaterThan(1)
    for (let i = 0; i < 200; i++) came.push(tokenAt(3))
    stage.add(2000)
    expect(layer.added.length).toBe(before + 2)
  })

  it('does not wait for another thread, and shows its picture once that is done', () => {
    const layer = new KeepingLayer()
    layer.waits = true
    const stage = new ViewStage(layer, never)
    stage.take(replyWith([tokenAt(0)]), STYLE)
    expect(stage.work(forever)).toBe(false)
    expect([stage.busy, stage.shown]).toEqual([true, null])
    layer.waits = false
    expect(stage.work(forever)).toBe(true)
    expect(stage.shown).not.toBe(null)
  })

  it('goes on after a picture that could not be made, and holds nothing of it', () => {
    const layer = new KeepingLayer()
    const stage = new ViewStage(layer, never)
    stage.take(replyWith([tokenAt(0)]), STYLE)
    stage.work(forever)
    const { shown } = stage
    layer.fails = true
    stage.take(replyWith([tokenAt(1)]), STYLE)
    expect(() => stage.work(forever)).toThrow('no memory')
    expect([stage.shown, stage.busy, stage.work(forever)]).toEqual([shown, false, false])
    layer.fails = false
    stage.take(replyWith([tokenAt(2)]), STYLE)
    expect(stage.work(forever)).toBe(true)
    expect(stage.shown?.answer.tokens[0]?.x).toBe(2)
  })

  it('shows what came while another picture failed', () => {
    const layer = new KeepingLayer()
    const stage = new ViewStage(layer, never)
    layer.fails = true
    stage.take(replyWith([tokenAt(1)]), STYLE)
    stage.take(replyWith([tokenAt(2)]), STYLE)
    expect(() => stage.work(forever)).toThrow('no memory')
    layer.fails = false
    expect(stage.work(forever)).toBe(true)
    expect(stage.shown?.answer.tokens[0]?.x).toBe(2)
  })

  it('goes on with another layer: what is shown at once, what was worked on from its beginning', () => {
    const [first, second, third] = [new KeepingLayer(), new KeepingLayer(), new KeepingLayer()]
    const stage = new ViewStage(first, never)
    first.waits = true
    stage.take(replyWith([tokenAt(0)]), STYLE)
    expect(stage.work(forever)).toBe(false)
    stage.drawWith(second)
    expect([stage.shown, stage.busy]).toEqual([null, true])
    expect(stage.work(forever)).toBe(true)
    expect(stage.shown?.answer.tokens[0]?.x).toBe(0)
    expect(second.pictures).toEqual(new Set([stage.shown?.picture]))

    second.waits = true
    stage.take(replyWith([tokenAt(1)]), STYLE)
    stage.work(forever)
    stage.take(replyWith([tokenAt(2)]), STYLE)
    stage.drawWith(third)
    expect([stage.shown?.answer.tokens[0]?.x, third.pictures.size]).toEqual([0, 1])
    expect(stage.work(forever)).toBe(true)
    expect(stage.shown?.answer.tokens[0]?.x).toBe(2)
    expect([first.pictures.size, stage.busy]).toEqual([0, false])
  })

  it('frees a picture that is given up before it was seen', () => {
    const layer = new KeepingLayer()
    const stage = new ViewStage(layer, (_view, from) => ({
      // There is always more.
      tokens: Array.from({ length: 32 }, (_, i) => tokenAt(from + i)),
      next: from + 32,
    }))
    stage.take(replyWith([tokenAt(0)]), STYLE)
    let clock = 0
    const now = performance.now
    performance.now = () => clock++
    try {
      stage.work(20)
    } finally {
      performance.now = now
    }
    expect(layer.pictures.size).toBe(1)
    stage.take({ ...replyWith([tokenAt(1)]), look: { ...LOOK, layout: 'flow' } }, STYLE)
    expect(layer.pictures.size).toBe(0)
  })
})
