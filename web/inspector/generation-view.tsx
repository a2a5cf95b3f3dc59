import { endingWords, formatCount, formatDuration, formatRate, stateTone, stateWords } from '../format.ts'
import { IconLocate } from '../frame/icons.tsx'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import { Fact } from './fact.tsx'
import { TokenFlow } from './token-flow.tsx'

interface Props {
  generation: Generation
  /** The token that is looked at. */
  chosen: number | null
  titled: boolean
}

/** A generation as a whole: what it is, how it went, and its text token by token. */
export function GenerationView({ generation, chosen, titled }: Props) {
  const { store, map, tick, lost } = useScope()
  generation.revision.value // read, so that what grows is drawn anew
  if (generation.live) tick.value // the speed falls with time alone
  // Nobody knows what it does while the server cannot be heard.
  const away = generation.live && lost.value
  const tone = away ? 'waiting' : stateTone(generation.state)
  const ending = endingWords(generation.ending)
  const count = formatCount(generation.tokensProcessed)
  return (
    <section class="generation-view" aria-label="Generation">
      {titled ? <h3>Generation</h3> : null}
      <p class="generation-state" data-tone={tone}>
        <span class="state-dot" aria-hidden="true" />
        {away ? `was ${stateWords(generation.state)}` : stateWords(generation.state)}
        {ending ? <span class="ending">{ending}</span> : null}
        <button
          type="button"
          class="icon-button locate"
          title="Show all of it on the map"
          aria-label="Show all of it on the map"
          onClick={() => map.value?.show(generation)}
        >
          <IconLocate />
        </button>
      </p>
      {generation.error ? (
        <p class="error-words" data-tone={tone}>
          {generation.error.message}
        </p>
      ) : null}
      <dl class="facts">
        <Fact name="model">{generation.model ?? '–'}</Fact>
        <Fact name="upstream">{generation.upstream ?? '–'}</Fact>
        <Fact name={generation.estimated ? 'tokens, estimated' : 'tokens'}>
          {generation.estimated ? `≈ ${count}` : count}
          {generation.totalTokens === null ? null : ` of ${formatCount(generation.totalTokens)} with prompt`}
        </Fact>
        <Fact name={generation.live ? 'speed, last 2 s' : 'speed, all of it'}>
          {formatRate(away ? null : generation.rate(store.now))} tok/s
        </Fact>
        <Fact name="first token after">{formatDuration(generation.ttftMs)}</Fact>
        <Fact name={generation.live ? 'running for' : 'took'}>
          {formatDuration(away ? null : generation.ageMs(store.now))}
        </Fact>
        <Fact name="id">
          <span class="id">{generation.id}</span>
        </Fact>
      </dl>
      <TokenFlow generation={generation} chosen={chosen} />
    </section>
  )
}
