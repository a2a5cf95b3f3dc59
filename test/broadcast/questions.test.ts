import { describe, expect, it } from 'vitest'
import { AnswerParts } from '../../broadcast/answer-parts.ts'
import { BIN_SUBPROTOCOL, type ErrorMessage } from '../../broadcast/protocol.ts'
import { Questions } from '../../broadcast/questions.ts'
import { TileTexts } from '../../broadcast/tile-texts.ts'
import { StandInViews } from '../support/views-stand-in.ts'

const ALL = { type: 'viewport', id: 1, layout: 'flow', x: 0, y: 0, w: 2048, h: 2048, zoom: 2 } as const

/** What a viewer asks, whose answers are ready when `answered` resolves. */
function start() {
  const errors: ErrorMessage[] = []
  let ready = Promise.withResolvers<void>()
  const questions = new Questions({
    views: new StandInViews(),
    partsOf: answer => new AnswerParts(answer, BIN_SUBPROTOCOL, new TileTexts()),
    hasRoom: () => true,
    tell: error => errors.push(error),
    ready: () => ready.resolve(),
  })
  const answered = async () => {
    await ready.promise
    ready = Promise.withResolvers()
  }
  return { questions, errors, answered }
}

describe('an answer on its way', () => {
  it('is dropped when nothing of it could be sent for ten seconds, which is told', async () => {
    const { questions, errors, answered } = start()
    questions.ask(ALL)
    questions.ask({ ...ALL, type: 'pick', id: 2 })
    await answered()
    expect(questions.next()).not.toBeNull()
    for (let second = 0; second < 10; second++) questions.tick()
    expect([errors, questions.pending]).toEqual([[], true])
    questions.tick()
    expect(errors.map(({ id, code }) => [id, code])).toEqual([
      [2, 'RATE_LIMITED'],
      [1, 'RATE_LIMITED'],
    ])
    expect(errors[0]?.message).toBe(
      'Nothing of answer 2 could be sent for 10 s; the rest is dropped. Ask again once you read.',
    )
    expect([questions.next(), questions.pending]).toEqual([null, false])
    questions.ask({ ...ALL, id: 3 })
    await answered()
    expect(questions.next()).not.toBeNull()
  })

  it('has its time anew from each part', async () => {
    const { questions, errors, answered } = start()
    questions.ask(ALL)
    await answered()
    for (let more = true; more; more = questions.sent()) {
      for (let second = 0; second < 10; second++) questions.tick()
      expect(questions.next()).not.toBeNull()
    }
    expect(errors).toEqual([])
  })
})
