import { expect, test } from 'vitest'
import { readChat } from '../support/chat-answer.ts'
import { CHAT } from '../support/demo.ts'
import { rounds } from '../support/rounds.ts'
import { Spectator } from '../support/spectator.ts'
import { useStage } from '../support/stage.ts'

const WORKERS = 50

const stage = useStage()

test('100 requests by 50 workers: none fails, and each viewer sees each answer once', async () => {
  const viewers = await Promise.all([1, 2, 3].map(() => Spectator.watch(stage.url)))
  const total = Math.max(100, rounds(2000))
  const textOf = (id: number) => Array.from({ length: 5 }, (_, i) => `${id}.${i} `).join('')
  const answers = new Map<number, Buffer>()
  let next = 0
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      while (next < total) {
        // Viewers in the process of all the others are the first to fall behind, and would skip: not here.
        const seen = answers.size - WORKERS
        if (seen >= 0) await Promise.all(viewers.map(viewer => viewer.end(seen)))
        const id = next++
        if (id >= total) return
        const answer = await fetch(`${stage.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'x-demo': `say=${encodeURIComponent(textOf(id))}` },
          body: JSON.stringify({ ...CHAT, id }),
        })
        expect(answer.status).toBe(200)
        answers.set(id, Buffer.from(await answer.arrayBuffer()))
      }
    }),
  )
  for (let id = 0; id < total; id++) {
    expect(readChat(answers.get(id) as Buffer).choices[0]?.text).toBe(textOf(id))
  }
  const expected = Array.from({ length: total }, (_, id) => textOf(id)).sort()
  for (const viewer of viewers) {
    await viewer.end(total - 1)
    const texts = Map.groupBy(viewer.tokens, ({ generation }) => generation).values()
    expect([...texts].map(tokens => tokens.map(token => token.token_text).join('')).sort()).toEqual(expected)
    const seqs = viewer.entries.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => i + 1))
    viewer.close()
  }
})
