import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ViewError, type Viewport, type WholeView } from '../../broadcast/client.ts'
import { cameraOf, type Look, ViewFeed, type ViewReply } from '../../web/view/view-feed.ts'

const LOOK: Look = {
  layout: 'map',
  color: 'confidence',
  filter: null,
  t: null,
  left: 0,
  top: 0,
  width: 1000,
  height: 600,
  zoom: 10,
  zoomY: 10,
  ratio: 1,
  moving: false,
}

/** A feed whose questions are answered, or refused, when the test says so. */
function make() {
  const asked: { question: Viewport; answer: PromiseWithResolvers<WholeView> }[] = []
  const replies: ViewReply[] = []
  const refused: string[] = []
  let ready = 0
  const feed = new ViewFeed({
    ask: question => {
      const answer = Promise.withResolvers<WholeView>()
      asked.push({ question, answer })
      return answer.promise
    },
    onReply: reply => replies.push(reply),
    onReady: () => ready++,
    onRefused: message => refused.push(message),
    now: () => Date.now(),
  })
  const last = () => asked.at(-1) as (typeof asked)[number]
  const answer = async () => {
    last().answer.resolve({ layout: last().question.layout } as WholeView)
    await vi.advanceTimersByTimeAsync(0)
  }
  const refuse = async (code: string) => {
    last().answer.reject(new ViewError(code, `refused: ${code}`))
    await vi.advanceTimersByTimeAsync(0)
  }
  return {
    feed,
    asked,
    replies,
    refused,
    answer,
    refuse,
    get ready() {
      return ready
    },
  }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('what is asked', () => {
  it('is more than is seen, on each side, in whole pixels of the layout', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0.001, max: 160, noNaN: true }),
        fc.integer({ min: 1, max: 8192 }),
        (left, zoom, width) => {
          const { x, width: wide } = cameraOf({ ...LOOK, left, zoom, width })
          expect(x * zoom).toBeLessThanOrEqual(left * zoom + 1e-3)
          expect(x * zoom + wide).toBeGreaterThanOrEqual(left * zoom + width - 1 - 1e-3)
          expect(Math.abs(x * zoom - Math.round(x * zoom))).toBeLessThan(1e-3)
          expect(wide).toBeLessThanOrEqual(8192)
        },
      ),
    )
  })

  it('is asked once, and not again while the answer does', async () => {
    const { feed, asked, answer, replies } = make()
    feed.want(LOOK, false)
    feed.want({ ...LOOK, left: 5 }, false)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.question).toMatchObject({
      layout: 'map',
      zoom: 10,
      zoom_y: 10,
      t: null,
      w: 1501,
      h: 901,
    })
    await answer()
    expect(replies).toHaveLength(1)
    // Anywhere within the margin, moving or not.
    feed.want({ ...LOOK, left: 20, top: -14 }, false)
    feed.want({ ...LOOK, left: 10, zoom: 11, zoomY: 11, moving: true }, false)
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['what is seen left the margin', { left: 26 }],
    ['the margin is nearly used up on the way', { left: 20, moving: true }],
    ['the zoom is another one at rest', { zoom: 10.1, zoomY: 10.1 }],
    ['the zoom is far off on the way', { zoom: 14, zoomY: 14, moving: true }],
    ['another layout is looked at', { layout: 'flow' }],
    ['colours stand for something else', { color: 'entropy' }],
    ['the filter is another one', { filter: { models: ['a'] } }],
  ] as [string, Partial<Look>][])('is asked again when %s', async (_, more) => {
    const { feed, asked, answer } = make()
    feed.want(LOOK, false)
    await answer()
    feed.want({ ...LOOK, ...more }, true)
    expect(asked).toHaveLength(2)
  })

  it('waits for the answer to what was asked, but for another layout', async () => {
    const { feed, asked, answer, replies } = make()
    feed.want(LOOK, false)
    feed.want({ ...LOOK, left: 500 }, false)
    expect(asked).toHaveLength(1)
    feed.want({ ...LOOK, layout: 'flow' }, false)
    expect(asked).toHaveLength(2)
    await answer()
    expect(replies.map(({ look }) => look.layout)).toEqual(['flow'])
  })
})

describe('news', () => {
  it('are asked for at most once a second, and not while an answer is worked on', async () => {
    const made = make()
    const { feed, asked, answer } = made
    feed.want(LOOK, false)
    await answer()
    feed.news()
    feed.want(LOOK, false)
    expect(asked).toHaveLength(1)
    const before = made.ready
    await vi.advanceTimersByTimeAsync(999)
    expect(made.ready).toBe(before)
    await vi.advanceTimersByTimeAsync(1)
    expect(made.ready).toBe(before + 1)
    feed.want(LOOK, true)
    expect(asked).toHaveLength(1)
    feed.want(LOOK, false)
    expect(asked).toHaveLength(2)
    await answer()
    await vi.advanceTimersByTimeAsync(1000)
    feed.want(LOOK, false)
    expect(asked).toHaveLength(2)
    expect(feed.idle).toBe(true)
  })

  it('change nothing of how it was', async () => {
    const { feed, asked, answer } = make()
    feed.want({ ...LOOK, t: 1000 }, false)
    await answer()
    feed.news()
    await vi.advanceTimersByTimeAsync(5000)
    feed.want({ ...LOOK, t: 1000 }, false)
    expect(asked).toHaveLength(1)
    // A time that plays on is asked for more often.
    feed.want({ ...LOOK, t: 1001 }, false)
    await answer()
    feed.want({ ...LOOK, t: 1002 }, false)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(100)
    feed.want({ ...LOOK, t: 1003 }, false)
    expect(asked).toHaveLength(3)
    await answer()
    feed.want(LOOK, false)
    await vi.advanceTimersByTimeAsync(100)
    feed.want(LOOK, false)
    expect(asked).toHaveLength(4)
  })
})

describe('a refusal', () => {
  it('is told, and asked about again after a while, with the news that it took', async () => {
    const { feed, asked, refused, refuse, answer } = make()
    feed.want(LOOK, false)
    await answer()
    feed.news()
    await vi.advanceTimersByTimeAsync(1000)
    feed.want(LOOK, false)
    await refuse('RATE_LIMITED')
    expect(refused).toEqual(['refused: RATE_LIMITED'])
    feed.want(LOOK, false)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1000)
    feed.want(LOOK, false)
    expect(asked).toHaveLength(3)
  })

  it('for the sake of another question is asked again at once; a closed client is asked nothing', async () => {
    const { feed, asked, refused, refuse } = make()
    feed.want(LOOK, false)
    await refuse('SUPERSEDED')
    feed.want(LOOK, false)
    expect(asked).toHaveLength(2)
    await refuse('CLOSED')
    expect(refused).toEqual([])
    feed.stop()
    feed.want(LOOK, false)
    expect(asked).toHaveLength(2)
  })
})
