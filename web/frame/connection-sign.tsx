import { useScope } from '../scope.ts'

const WORDS = { connecting: 'connecting', open: 'connected', waiting: 'reconnecting', closed: 'closed' }

/** Whether the stream is there, in one word and a dot. */
export function ConnectionSign() {
  const { store } = useScope()
  const { kind } = store.connection.value
  return (
    <span class="connection" data-testid="connection" data-state={kind}>
      <span class="state-dot" aria-hidden="true" />
      <span class="connection-word">{WORDS[kind]}</span>
    </span>
  )
}
