import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TOKEN_TILES, type ViewToken } from '../../broadcast/protocol/view.ts'
import { MapPointer } from '../../web/map/map-pointer.ts'
import type { LiveTokens } from '../../web/view/live-tokens.ts'
import type { Look } from '../../web/view/view-feed.ts'
import type { ViewStage } from '../../web/view/view-stage.ts'

const VIEW = { width: 100, height: 100, left: 0, top: 0, right: 0, bottom: 0 }
const LOOK = { layout: 'map', filter: null, t: null } as Look
const TOKEN = { id: 'g_1:3', x: 4, y: 4, w: 1, model: null } as ViewToken
/** With the square (4, 4) in the middle of the view. */
const POSE = { x: 4.5, y: 4.5, zoom: 10, zoomY: 10 }
const MIDDLE = { x: 50, y: 50 }

/** A pointer over cells of many tokens, whose answers are given by `answer`. */
function overCells() {
  const answers: ((token: ViewToken) => void)[] = []
  const shown = { answer: { layout: 'map', z: TOKEN_TILES + 3, models: [] }, tokens: { at: () => null } }
  const pointer = new MapPointer(
    { shown } as unknown as ViewStage,
    { told: () => [] } as unknown as LiveTokens,
    {
      pick: () =>
        new Promise(resolve => answers.push(token => resolve({ tokens: [token], models: [] } as never))),
    },
  )
  const answer = async () => {
    answers.shift()?.(TOKEN)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { pointer, answers, answer }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('where tokens are far the one under a pointer that rests is asked for', async () => {
  const { pointer, answers, answer } = overCells()
  pointer.point(MIDDLE)
  pointer.update(LOOK, POSE, VIEW)
  expect(answers).toHaveLength(0)
  await vi.runAllTimersAsync()
  expect(answers).toHaveLength(1)
  await answer()
  expect(pointer.hover.value).toEqual({ token: TOKEN, left: 45, top: 45, width: 10, height: 10 })
})

test('an answer that comes when the camera has moved on is about another place', async () => {
  const { pointer, answer } = overCells()
  pointer.point(MIDDLE)
  pointer.update(LOOK, POSE, VIEW)
  await vi.runAllTimersAsync()
  pointer.update(LOOK, { ...POSE, x: 90 }, VIEW)
  await answer()
  expect(pointer.hover.value).toBeNull()
})

test('an answer that comes after the end changes nothing', async () => {
  const { pointer, answer } = overCells()
  pointer.point(MIDDLE)
  pointer.update(LOOK, POSE, VIEW)
  await vi.runAllTimersAsync()
  pointer.stop()
  await answer()
  expect(pointer.hover.value).toBeNull()
})
