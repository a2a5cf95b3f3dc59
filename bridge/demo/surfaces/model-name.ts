/** The one model that there is, by its name. */
import { TokenscopeError } from '../../../events/errors.ts'

export const DEMO_MODEL_NAME = 'tokenscope-demo'

/** Throws a TokenscopeError NOT_FOUND unless `name` is the demo's model. */
export function checkModelName(name: string): void {
  if (name === DEMO_MODEL_NAME) return
  const message = `the model "${name}" does not exist; the demo has "${DEMO_MODEL_NAME}"`
  throw new TokenscopeError('NOT_FOUND', message, { param: 'model' })
}
