import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ScoreHistory } from '../../../../health/shm/monitor/score-history.ts'

let folder: string
let file: string
let said: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenscope-history-'))
  file = join(folder, 'score-history.json')
  said = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function opened(): Promise<ScoreHistory> {
  const history = new ScoreHistory(file, sentence => said.push(sentence))
  await history.load()
  return history
}

describe('the history of scores', () => {
  test('has each score once, with when it was first seen, and the next run goes on with it', async () => {
    const first = await opened()
    first.add('tree', { at: 1, score: 0.5 }, [])
    first.add('tree', { at: 2, score: 0.5 }, [])
    first.add('tree', { at: 3, score: 0.75 }, [])
    await first.settle()
    const second = await opened()
    expect(second.scores).toEqual([
      { at: 1, score: 0.5 },
      { at: 3, score: 0.75 },
    ])
    second.add('tree', { at: 4, score: 0.75 }, [])
    second.add('tree', { at: 5, score: null }, [])
    await second.settle()
    expect((await opened()).scores.map(({ at }) => at)).toEqual([1, 3, 5])
    expect(said).toEqual([])
    expect(readdirSync(folder)).toEqual(['score-history.json'])
  })

  test('begins anew where a score cannot be compared with those before', async () => {
    const history = await opened()
    history.add('tree', { at: 1, score: 0.5 }, [])
    history.add('tree in other parts', { at: 2, score: 0.5 }, [])
    await history.settle()
    expect(history.scores).toEqual([{ at: 2, score: 0.5 }])
    expect((await opened()).scores).toEqual([{ at: 2, score: 0.5 }])
  })

  test('tells what others kept from before its own first score, and does not keep it', async () => {
    const history = await opened()
    history.add('tree', { at: 10, score: 0.5 }, [
      { at: 8, score: 0.25 },
      { at: 12, score: 0.5 },
    ])
    await history.settle()
    expect(history.scores).toEqual([
      { at: 8, score: 0.25 },
      { at: 10, score: 0.5 },
    ])
    expect((await opened()).scores).toEqual([{ at: 10, score: 0.5 }])
  })

  test('keeps the newest thousand', async () => {
    const history = await opened()
    for (let i = 0; i < 1005; i++) history.add('tree', { at: i, score: i / 2000 }, [])
    await history.settle()
    const kept = (await opened()).scores
    expect([kept.length, kept[0]?.at, kept.at(-1)?.at]).toEqual([1000, 5, 1004])
  })

  test.each([
    ['what is no JSON', '{'],
    ['what is no object', 'null'],
    ['another version', '{"version":2,"of":"tree","scores":[]}'],
    ['scores that are none', '{"version":1,"of":"tree","scores":[{"at":1,"score":"high"}]}'],
  ])('says that it begins anew where the file holds %s', async (_, content) => {
    writeFileSync(file, content)
    const history = await opened()
    expect(said).toEqual([expect.stringContaining(`${file} cannot be read`)])
    expect(history.scores).toEqual([])
    history.add('tree', { at: 1, score: 1 }, [])
    await history.settle()
    expect((await opened()).scores).toEqual([{ at: 1, score: 1 }])
  })

  test('whatever a file holds, it is read or named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async content => {
        said = []
        writeFileSync(file, content)
        const history = await opened()
        expect(said.length === 1 ? history.scores : said).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  test('says that it cannot be written, goes on in memory, and leaves nothing half written', async () => {
    mkdirSync(file)
    const history = await opened()
    said = []
    history.add('tree', { at: 1, score: 1 }, [])
    await history.settle()
    expect(said).toEqual([expect.stringContaining(`${file} cannot be written`)])
    expect(history.scores).toEqual([{ at: 1, score: 1 }])
    expect(readdirSync(folder)).toEqual(['score-history.json'])
  })
})
