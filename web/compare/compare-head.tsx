import { formatCount, formatDuration, formatRate, stateTone, stateWords } from '../format.ts'
import { IconClose } from '../frame/icons.tsx'
import type { Generation } from '../generation.ts'
import { perplexityOf } from '../inspector/likelihood.ts'
import { useScope } from '../scope.ts'
import { titleOf } from './compare-picker.tsx'
import { LETTERS } from './comparison.ts'

/** Who stands in a column, and how it went. */
export function CompareHead({ generations, of }: { generations: readonly Generation[]; of: number }) {
  const { store, tick, compared, selection, lost } = useScope()
  const generation = generations[of] as Generation
  const parent = generations.findIndex(({ id }) => id === generation.parent)
  generation.revision.value // read, so that what grows is drawn anew
  if (generation.live) tick.value // the speed falls with time alone
  const away = generation.live && lost.value
  const perplexity = perplexityOf(generation.tokens)
  const count = formatCount(generation.tokensProcessed)
  return (
    <div class="compare-head" data-tone={away ? 'waiting' : stateTone(generation.state)}>
      <p class="compare-title">
        <span class="compare-letter">{LETTERS[of]}</span>
        <button
          type="button"
          class="compare-name"
          title={generation.record?.prompt ?? generation.id}
          onClick={() => selection.generation(generation)}
        >
          {titleOf(generation)}
        </button>
        {parent === -1 ? null : <span class="compare-from">goes on from {LETTERS[parent]}</span>}
        <span class="compare-state">
          <span class="state-dot" aria-hidden="true" />
          {away ? `was ${stateWords(generation.state)}` : stateWords(generation.state)}
        </span>
        <button
          type="button"
          class="icon-button"
          aria-label={`Compare ${LETTERS[of]} no longer`}
          title="Compare no longer"
          onClick={() => {
            compared.value = compared.value.filter(id => id !== generation.id)
          }}
        >
          <IconClose />
        </button>
      </p>
      <dl class="compare-facts">
        <HeadFact name={generation.estimated ? 'tokens, est.' : 'tokens'}>
          {generation.estimated ? `≈ ${count}` : count}
        </HeadFact>
        <HeadFact name={generation.live ? 'tok/s, last 2 s' : 'tok/s'}>
          {formatRate(away ? null : generation.rate(store.now))}
        </HeadFact>
        <HeadFact name="TTFT">{formatDuration(generation.ttftMs)}</HeadFact>
        <HeadFact name="perplexity">{perplexity === null ? '–' : perplexity.value.toFixed(2)}</HeadFact>
      </dl>
    </div>
  )
}

function HeadFact({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
