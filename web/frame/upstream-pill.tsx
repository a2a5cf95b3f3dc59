import type { ComponentChildren } from 'preact'
import { useScope } from '../scope.ts'
import type { UpstreamFacts } from '../server-api.ts'

/** Who answers now: the upstream, its model, and whether it is there. */
export function UpstreamPill() {
  const { health } = useScope()
  const facts = health.upstream.value
  const known = health.readiness.value !== null
  const state = !health.reached.value ? 'unknown' : facts.standing_in ? 'waiting' : facts.up ? 'up' : 'down'
  const name = facts.demo ? 'Demo model' : (facts.name ?? facts.url ?? 'upstream')
  return (
    <span class="pill" data-testid="upstream-pill" data-state={state} title={health.sentence.value ?? ''}>
      <span class="state-dot" aria-hidden="true" />
      <span class="pill-name">{known ? name : 'asking'}</span>
      <span class="pill-model">{known && health.reached.value ? noteOf(facts) : ''}</span>
    </span>
  )
}

function noteOf(facts: UpstreamFacts): ComponentChildren {
  if (facts.standing_in) return `${facts.name ?? 'LM Studio'} is not answering`
  if (!facts.up) return 'not answering'
  if (facts.demo) return 'not a model of yours'
  const [model = '', ...others] = facts.models ?? []
  if (model === '') return ''
  // What a name does with the direction of its text ends with it.
  return (
    <>
      <bdi>{model}</bdi>
      {others.length === 0 ? null : ` and ${others.length} more`}
    </>
  )
}
