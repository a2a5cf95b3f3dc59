import { COLORS, LAYOUTS, type PickQuestion, type ViewQuestion } from '../broadcast/protocol/view.ts'
import { TokenscopeError } from '../events/errors.ts'

/** @throws TokenscopeError BAD_REQUEST naming the field where a question is none */
export function checkQuestion(question: ViewQuestion | PickQuestion): void {
  const { layout, x, y } = question
  if (!LAYOUTS.includes(layout)) throw bad('layout', `one of ${LAYOUTS.join(', ')}`)
  for (const [name, value] of Object.entries({ x, y })) {
    if (!Number.isFinite(value)) throw bad(name, 'a number')
  }
  if (!('w' in question)) return
  const { w, h, zoom, zoom_y: zoomY = zoom, color = 'confidence' } = question
  if (!COLORS.includes(color)) throw bad('color', `one of ${COLORS.join(', ')}`)
  for (const [name, value] of Object.entries({ w, h, zoom, zoom_y: zoomY })) {
    if (!(Number.isFinite(value) && value > 0)) throw bad(name, 'a number over 0')
  }
}

function bad(param: string, words: string): TokenscopeError {
  return new TokenscopeError('BAD_REQUEST', `"${param}" of the question must be ${words}.`, { param })
}
