import { describe, expect, it, vi } from 'vitest'
import type { ViewAnswer } from '../../broadcast/protocol/view.ts'
import type { Question, Request } from '../../compositor/messages.ts'
import type { PackedAnswer } from '../../compositor/packed-answer.ts'
import { Questions } from '../../compositor/questions.ts'

type Sent = { id: number } & Question

function questions(waitMs?: number, answerMs?: number) {
  const sent: Sent[] = []
  const asked = new Questions((request: Request) => sent.push(request as Sent), waitMs, answerMs)
  const ask = (x: number) => {
    const question: Question = { type: 'pick', question: { layout: 'map', x, y: 0 } }
    return asked.ask(`pick ${x}`, { ask: () => question })
  }
  return { asked, sent, ask }
}

/** An answer that can be told from others. */
function answerWith(upto: number): PackedAnswer {
  return {
    layout: 'map',
    color: 'confidence',
    upto,
    z: 0,
    count: 0,
    origin: null,
    models: [],
    bounds: null,
    tokens: [],
    tiles: [],
  }
}

describe('questions to a process', () => {
  it('wait until it can be asked, and each gets its own answer, in whatever order they come', async () => {
    const { asked, sent, ask } = questions()
    const answers = [1, 2, 3].map(ask)
    expect(sent).toEqual([])
    asked.open()
    expect(sent.map(({ question }) => (question as { x: number }).x)).toEqual([1, 2, 3])
    for (const { id, question } of sent.toReversed()) {
      asked.take({ type: 'view', id, answer: answerWith((question as { x: number }).x) })
    }
    expect((await Promise.all(answers)).map(answer => (answer as ViewAnswer).upto)).toEqual([1, 2, 3])
    expect(asked.size).toBe(0)
  })

  it('that are equal share an answer while it is owed, and are asked anew afterwards', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const [first, second] = [ask(1), ask(1)]
    expect(sent.length).toBe(1)
    asked.take({ type: 'view', id: sent[0]?.id ?? 0, answer: answerWith(7) })
    expect(await first).toBe(await second)
    void ask(1).catch(() => {})
    expect(sent.length).toBe(2)
    asked.stop()
  })

  it('are completed once, for all who asked', async () => {
    const { asked, sent } = questions()
    asked.open()
    const complete = vi.fn((answer: ViewAnswer) => ({ ...answer, count: 9 }))
    const question: Question = { type: 'pick', question: { layout: 'map', x: 0, y: 0 } }
    const both = [1, 2].map(() => asked.ask('one', { ask: () => question, complete }))
    asked.take({ type: 'view', id: sent[0]?.id ?? 0, answer: answerWith(7) })
    expect((await Promise.all(both)).map(answer => (answer as ViewAnswer).count)).toEqual([9, 9])
    expect(complete).toHaveBeenCalledTimes(1)
  })

  it('are asked again of the next process, and answered once', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const answer = ask(1)
    asked.close('was ended by SIGKILL')
    expect(sent.length).toBe(1)
    asked.open()
    expect(sent.length).toBe(2)
    const [{ id }] = sent as [Sent]
    asked.take({ type: 'view', id, answer: answerWith(1) })
    asked.take({ type: 'view', id, answer: answerWith(2) })
    expect(await answer).toMatchObject({ upto: 1 })
  })

  it('that three processes ended over are refused; those that waited meanwhile are not', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const refused = expect(ask(1)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'The compositor’s process ended with code 3 over this.',
    })
    asked.close('ended with code 3')
    asked.open()
    asked.close('ended with code 3')
    const later = ask(2)
    asked.close('ended with code 3')
    asked.open()
    asked.close('ended with code 3')
    await refused
    asked.open()
    asked.take({ type: 'view', id: sent.at(-1)?.id ?? 0, answer: answerWith(5) })
    expect(await later).toMatchObject({ upto: 5 })
  })

  it('wait in a pause; those that were asked before it are answered in it', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const before = ask(1)
    asked.pause()
    const during = ask(2)
    asked.take({ type: 'view', id: sent[0]?.id ?? 0, answer: answerWith(1) })
    expect(await before).toMatchObject({ upto: 1 })
    expect(sent.length).toBe(1)
    asked.open()
    asked.take({ type: 'view', id: sent[1]?.id ?? 0, answer: answerWith(2) })
    expect(await during).toMatchObject({ upto: 2 })
  })

  it('that no process is there for are refused in the end, and may come again', async () => {
    const { asked, ask } = questions(5)
    const nobody = expect(ask(1)).rejects.toMatchObject({
      code: 'COMPOSITOR_UNAVAILABLE',
      status: 503,
      retryable: true,
      message: 'The compositor has nothing to show yet: its process has not begun. Try again later.',
    })
    await nobody
    asked.open()
    const sent = ask(1)
    asked.close('was ended by SIGKILL')
    await expect(sent).rejects.toThrow('its process was ended by SIGKILL. Try again later.')
    expect(asked.size).toBe(0)
  })

  it('that the process answers others instead of are refused in the end, and their answers let go', async () => {
    const { asked, sent, ask } = questions(undefined, 5)
    asked.open()
    await expect(ask(1)).rejects.toMatchObject({
      code: 'COMPOSITOR_UNAVAILABLE',
      message:
        'The compositor has nothing to show yet: its process has not answered this for 0.005 s. Try again later.',
    })
    asked.take({ type: 'view', id: sent[0]?.id ?? 0, answer: answerWith(1) })
    expect(asked.size).toBe(0)
  })

  it('whose answer cannot be read are refused, and the rest is not', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const [broken, whole] = [ask(1), ask(2)]
    asked.take({ type: 'view', id: sent[0]?.id ?? 0, answer: { ...answerWith(1), tokens: [Buffer.of(255)] } })
    asked.take({ type: 'view', id: sent[1]?.id ?? 0, answer: answerWith(2) })
    await expect(broken).rejects.toThrow('a tile with 255 in it')
    expect(await whole).toMatchObject({ upto: 2 })
  })

  it('are refused with what the process says of them', async () => {
    const { asked, sent, ask } = questions()
    asked.open()
    const answer = ask(1)
    const id = sent[0]?.id ?? 0
    asked.take({ type: 'refused', id, code: 'BAD_REQUEST', message: 'No.', param: 'x' })
    await expect(answer).rejects.toMatchObject({ code: 'BAD_REQUEST', message: 'No.', param: 'x' })
  })

  it('are all refused at the end, and from then on', async () => {
    const { asked, ask } = questions()
    const waiting = expect(ask(1)).rejects.toMatchObject({ code: 'DRAINING' })
    asked.stop()
    await waiting
    await expect(ask(2)).rejects.toMatchObject({ code: 'DRAINING' })
  })
})
