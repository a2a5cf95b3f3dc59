import { useScope } from '../scope.ts'
import { connectionSign } from './connection-words.ts'

/** Whether the stream is there, in a word or two and a dot. */
export function ConnectionSign() {
  const { store } = useScope()
  const state = store.connection.value
  return (
    <span class="connection" data-testid="connection" data-state={state.kind}>
      <span class="state-dot" aria-hidden="true" />
      <span class="connection-word">{connectionSign(state)}</span>
    </span>
  )
}
