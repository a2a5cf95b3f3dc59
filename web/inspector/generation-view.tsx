import type { ComponentChildren } from 'preact'
import {
  endingWords,
  formatCount,
  formatDuration,
  formatRate,
  replayWords,
  stateTone,
  stateWords,
} from '../format.ts'
import { CopyButton } from '../frame/copy-button.tsx'
import { IconLocate } from '../frame/icons.tsx'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import { CompareToggle } from './compare-toggle.tsx'
import { Fact } from './fact.tsx'
import { perplexityOf } from './likelihood.ts'
import { RecordNotes } from './record-notes.tsx'
import { TokenFlow } from './token-flow.tsx'

interface Props {
  generation: Generation
  /** The token that is looked at. */
  chosen: number | null
  titled: boolean
}

/** A generation as a whole: what it is, how it went, and its text token by token. */
export function GenerationView({ generation, chosen, titled }: Props) {
  const { map, lost } = useScope()
  generation.revision.value // read, so that what grows is drawn anew
  // Nobody knows what it does while the server cannot be heard.
  const away = generation.live && lost.value
  const tone = away ? 'waiting' : stateTone(generation.state)
  const ending = endingWords(generation.ending)
  const { error, record } = generation
  return (
    <section class="generation-view" aria-label="Generation">
      {titled ? <h3>Generation</h3> : null}
      {record?.name ? <p class="generation-name">{record.name}</p> : null}
      <p class="generation-state" data-tone={tone}>
        <span class="state-dot" aria-hidden="true" />
        {away ? `was ${stateWords(generation.state)}` : stateWords(generation.state)}
        {ending ? <span class="ending">{ending}</span> : null}
        <span class="generation-tools">
          <CompareToggle generation={generation} />
          {generation.text === '' ? null : (
            <CopyButton
              text={generation.text}
              label={generation.textIsPart ? 'what of the text is held' : 'the text'}
            />
          )}
          <button
            type="button"
            class="icon-button"
            title="Show all of it on the map"
            aria-label="Show all of it on the map"
            onClick={() => map.value?.show(generation)}
          >
            <IconLocate />
          </button>
        </span>
      </p>
      {error ? (
        <div class="error-words" data-tone={tone}>
          <p>{error.message}</p>
          <p class="error-kind">
            {error.kind === 'unknown' ? 'fault in the upstream' : ERROR_WORDS[error.kind]}
            {error.code === null ? null : `, ${error.code}`}
            {error.retryable ? '; may work if asked again' : null}
          </p>
        </div>
      ) : null}
      {record?.prompt ? (
        <p class="generation-prompt">
          <span class="generation-prompt-name">prompt</span> {record.prompt}
        </p>
      ) : null}
      <RecordNotes generation={generation} />
      <GenerationFacts generation={generation} away={away} />
      <TokenFlow generation={generation} chosen={chosen} />
    </section>
  )
}

const ERROR_WORDS = {
  connection: 'the connection failed',
  parse: 'the answer could not be read',
  send: 'the upstream refused the request',
  timeout: 'it took too long',
}

function GenerationFacts({ generation, away }: { generation: Generation; away: boolean }) {
  const { store, tick } = useScope()
  if (generation.live) tick.value // the speed falls with time alone
  const count = formatCount(generation.tokensProcessed)
  const { parent, replay, startedAt } = generation
  return (
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
      {generation.live ? null : <Perplexity generation={generation} />}
      <Fact name="began">{startedAt === null ? '–' : new Date(startedAt * 1000).toLocaleString()}</Fact>
      {generation.cached ? <Fact name="came">from the cache</Fact> : null}
      {parent === null ? null : (
        <Fact name="goes on from">
          <GenerationLink id={parent}>{shortId(parent)}</GenerationLink>
        </Fact>
      )}
      {replay === null ? null : (
        <Fact name={replayWords(replay)}>
          <GenerationLink id={replay.of}>of {shortId(replay.of)}</GenerationLink>
        </Fact>
      )}
      <Fact name="id">
        <span class="id">{generation.id}</span>
      </Fact>
    </dl>
  )
}

function Perplexity({ generation }: { generation: Generation }) {
  const perplexity = perplexityOf(generation.tokens)
  if (perplexity === null) return null
  const part = perplexity.known < generation.tokens.end ? ` over ${formatCount(perplexity.known)}` : ''
  return (
    <Fact name="perplexity">
      <span title="As if each token had been drawn from so many equally likely ones">
        {perplexity.value.toFixed(2)}
        {part}
      </span>
    </Fact>
  )
}

function GenerationLink({ id, children }: { id: string; children: ComponentChildren }) {
  const { library } = useScope()
  return (
    <button type="button" class="text-button" title={id} onClick={() => void library.open(id)}>
      {children}
    </button>
  )
}

function shortId(id: string): string {
  return `…${id.slice(-6)}`
}
