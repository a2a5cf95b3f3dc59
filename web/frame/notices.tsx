import { useEffect, useState } from 'preact/hooks'
import { useScope } from '../scope.ts'
import { connectionSentence } from './connection-words.ts'

/** What floats at the top of the map: what is wrong with the connection, or with the upstream. */
export function Notices() {
  return (
    <div class="notices">
      <ConnectionNotice />
      <UpstreamNotice />
    </div>
  )
}

/** Says clearly that it is not the person's own model that talks. */
export function DemoLabel() {
  const { store, health } = useScope()
  const facts = health.upstream.value
  if (!(store.demo.value ?? facts.demo)) return null
  return (
    <p class="demo-label" data-testid="demo-label">
      <strong>Demo</strong>
      {facts.standing_in && health.sentence.value ? (
        <span>{health.sentence.value}</span>
      ) : (
        <span>
          The built-in demo model is talking<span class="demo-rest">, not a model of yours</span>.
        </span>
      )}
    </p>
  )
}

function ConnectionNotice() {
  const { store, client, lost } = useScope()
  const state = store.connection.value
  const [now, setNow] = useState(Date.now())
  const down = state.kind === 'waiting' || state.kind === 'connecting'

  useEffect(() => {
    if (!down) return
    const clock = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(clock)
  }, [down])

  const sentence = connectionSentence(state)
  if (sentence === null || !lost.value) return null
  if (!down) {
    return (
      <p class="notice notice-failed float" role="alert" data-testid="connection-notice">
        <span>{sentence}</span>
        <button type="button" class="chip" onClick={() => location.reload()}>
          reload
        </button>
      </p>
    )
  }
  const seconds = state.kind === 'waiting' ? Math.max(0, Math.ceil((state.retryAt - now) / 1000)) : 0
  return (
    <p class="notice notice-waiting float" role="status" data-testid="connection-notice">
      <span class="state-dot" aria-hidden="true" />
      <span>
        {sentence}{' '}
        <span class="countdown">{seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying now.'}</span>
      </span>
      <button type="button" class="chip" disabled={state.kind !== 'waiting'} onClick={() => client.wake()}>
        try now
      </button>
    </p>
  )
}

/** An upstream that is missing, where no demo stands in for it. */
function UpstreamNotice() {
  const { store, health } = useScope()
  const facts = health.upstream.value
  const missing = facts.up === false && !facts.demo && store.connection.value.kind === 'open'
  if (!missing || !health.sentence.value) return null
  return (
    <p class="notice notice-waiting float" role="status">
      <span class="state-dot" aria-hidden="true" />
      <span>{health.sentence.value}</span>
    </p>
  )
}
