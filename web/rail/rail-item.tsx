import { useState } from 'preact/hooks'
import { endingWords, formatCount, formatRate, replayWords, stateTone, stateWords } from '../format.ts'
import { IconStop } from '../frame/icons.tsx'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'
import { stopGeneration } from '../server-api.ts'
import { Sparkline } from './sparkline.tsx'

/** Characters of a text in the list: enough to recognise it by, and little where it is laid out each frame. */
const PREVIEW = 2000
const LIVE_PREVIEW = 600

/** One generation in the list. */
export function RailItem({ generation }: { generation: Generation }) {
  const { store, selection, tick, railOpen, lost } = useScope()
  generation.revision.value // read, so that what grows is drawn anew
  if (generation.live) tick.value // the speed falls with time alone
  const { live, state } = generation
  // Nobody knows what it does while the server cannot be heard.
  const away = live && lost.value
  const tone = away ? 'waiting' : stateTone(state)
  const chosen = selection.current.value?.generation === generation
  const ending = endingWords(generation.ending)
  const choose = () => {
    selection.generation(generation)
    railOpen.value = false
  }
  return (
    <li
      class="item"
      data-testid="generation-item"
      data-state={state}
      data-generation={generation.id}
      data-live={live}
      data-tone={tone}
      data-chosen={chosen}
    >
      <button type="button" class="item-body" aria-current={chosen} onClick={choose}>
        {/* New with its tone: Chromium may leave what is in an item as it was when the item moves meanwhile. */}
        <span class="item-head" key={`${tone} ${live}`}>
          <span class="state-dot" aria-hidden="true" />
          <span class="item-state">
            {away ? `was ${stateWords(state)}` : stateWords(state)}
            {generation.progress !== null && live ? ` ${Math.round(generation.progress * 100)} %` : ''}
            {ending ? <span class="ending">{ending}</span> : null}
          </span>
        </span>
        <span class="item-model">
          {[generation.model ?? 'model not named yet', ...notesOn(generation)].join(' · ')}
        </span>
        <span class="item-text" data-live={live} data-empty={generation.text === ''}>
          <span data-testid="generation-text">{previewOf(generation)}</span>
        </span>
        {generation.error ? <span class="error-words">{generation.error.message}</span> : null}
        {live || generation.tokens.held > 1 ? <Sparkline generation={generation} /> : null}
        <span class="item-foot">
          <span
            class="item-tokens"
            title={generation.estimated ? 'estimated: pieces counted, not tokens' : ''}
          >
            {generation.estimated ? '≈ ' : ''}
            {formatCount(generation.tokensProcessed)} {generation.tokensProcessed === 1 ? 'token' : 'tokens'}
          </span>
          <span class="item-rate">{formatRate(away ? null : generation.rate(store.now))} tok/s</span>
        </span>
      </button>
      {live ? <StopButton generation={generation} /> : null}
    </li>
  )
}

/** What else there is to know of where it comes from. */
function notesOn({ cached, parent, replay }: Generation): string[] {
  return [
    ...(replay === null ? [] : [replayWords(replay)]),
    ...(cached ? ['from the cache'] : []),
    ...(parent === null ? [] : ['goes on where one broke off']),
  ]
}

function previewOf(generation: Generation): string {
  const { text } = generation
  if (generation.live) return text.slice(-LIVE_PREVIEW)
  return (generation.textIsPart ? '… ' : '') + text.slice(0, PREVIEW)
}

function StopButton({ generation }: { generation: Generation }) {
  const { lost } = useScope()
  const [trouble, setTrouble] = useState<string | null>(null)
  const stop = async () => {
    try {
      await stopGeneration(generation.id)
    } catch (error) {
      setTrouble((error as Error).message)
    }
  }
  return (
    <button
      type="button"
      class="item-stop"
      data-testid="stop"
      disabled={lost.value || generation.state === 'cancelling'}
      title={trouble ?? 'Stop this generation'}
      data-trouble={trouble !== null}
      onClick={stop}
    >
      <IconStop /> stop
    </button>
  )
}
