import { describe, expect, it } from 'vitest'
import type { Viewport, WholeView } from '../../broadcast/client.ts'
import { Finder } from '../../web/view/finder.ts'

const ALL = { left: 0, top: 0, right: 1000, bottom: 1000 }

/** Answers with one token, wherever is asked about. */
function viewWith(x: number, y: number): WholeView {
  const token = { id: 'g_1:0', text: 'a', x, y, w: 1, kind: 'message' }
  return { layout: 'map', tokens: [token], tiles: [] } as unknown as WholeView
}

describe('who looks for a generation', () => {
  it('asks ever closer, and says so as long as it does', async () => {
    const asked: Viewport[] = []
    const finder = new Finder(async question => {
      asked.push(question)
      return viewWith(400, 300)
    })
    const search = finder.find('map', 'g_1', ALL, null)
    expect(finder.busy).toBe(true)
    expect(await search).toEqual({ left: 400, top: 300, right: 401, bottom: 301 })
    expect(finder.busy).toBe(false)
    expect(asked.map(({ filter }) => filter)).toEqual(asked.map(() => ({ generations: ['g_1'] })))
    expect(asked.length).toBeGreaterThan(1)
  })

  it('finds nothing where it gets no answer', async () => {
    const finder = new Finder(() => Promise.reject(new Error('CLOSED')))
    expect(await finder.find('map', 'g_1', ALL, null)).toBeNull()
    expect(finder.busy).toBe(false)
  })

  it('is overtaken by whoever looks next, or elsewhere', async () => {
    const answers: (() => void)[] = []
    const finder = new Finder(
      () => new Promise(resolve => answers.push(() => resolve(viewWith(answers.length, 0)))),
    )
    const first = finder.find('map', 'g_1', ALL, null)
    const second = finder.find('map', 'g_2', ALL, null)
    answers[0]?.()
    // What it was overtaken in may still ask once more; nobody hears of it.
    await Promise.resolve()
    expect(finder.busy).toBe(true)
    finder.cancel()
    expect(finder.busy).toBe(false)
    const settled = Promise.all([first, second])
    let over = false
    void settled.then(() => {
      over = true
    })
    for (let i = 0; i < 50 && !over; i++) {
      for (const answer of answers.splice(0)) answer()
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(await settled).toEqual([null, null])
  })
})
