import { computed, type ReadonlySignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { formatCount, formatDuration, formatRate, stateTone, stateWords } from '../format.ts'
import { IconStop } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import type { RailEntry } from './rail-entry.ts'
import { faceOf, type RailFace } from './rail-face.ts'
import { IconMore } from './rail-icons.tsx'
import type { RailState } from './rail-state.ts'
import { RenameField } from './rename-field.tsx'
import { Sparkline } from './sparkline.tsx'
import { formatWhen } from './when.ts'

/** Where there are so many there is no room for the whole word. */
const SHORT_FROM = 1000

interface Props {
  rail: RailState
  entry: RailEntry
  /** Pixels from the beginning of the list. */
  top: number
  /** What of the list is seen, in the same. */
  seen: ReadonlySignal<{ top: number; height: number }>
  height: number
  /** Which one of how many it is, from 1. */
  place: number
  count: number
}

/** One generation in the list. Its height is as `rail-window.ts` says, whatever is in it. */
export function RailItem({ rail, entry, top, height, seen, place, count }: Props) {
  const { store, selection, tick, lost, compared, library } = useScope()
  const { id, generation } = entry
  const isSeen = useMemo(
    () => computed(() => top + height > seen.value.top && top < seen.value.top + seen.value.height),
    [seen, top, height],
  )
  // Read: what grows is drawn anew with the tick, all of it together; beyond the edges only its state.
  if (generation?.live) void [generation.states.value, isSeen.value && tick.value]
  else generation?.revision.value
  const face = faceOf(entry, store.now)
  // Nobody knows what it does while the server cannot be heard.
  const away = face.live && lost.value
  const tone = away ? 'waiting' : stateTone(face.state)
  const chosen = selection.current.value?.generation.id === id
  const isCompared = compared.value.includes(id)
  const bringing = library.bringing.value.get(id)
  const words = `${away ? 'was ' : ''}${stateWords(face.state)}`
  const progress = face.live ? face.progress : null
  const about = [...face.notes, ...(isCompared ? ['compared'] : [])]
  if (face.title !== null) about.unshift(face.model ?? modelWords(face.live))
  return (
    <li
      class="item"
      data-testid="generation-item"
      data-state={face.state}
      data-generation={id}
      data-live={face.live}
      data-tone={tone}
      data-chosen={chosen}
      data-held={generation !== null}
      aria-setsize={count}
      aria-posinset={place}
      style={{ top: `${top}px`, height: `${height}px` }}
      onContextMenu={event => {
        event.preventDefault()
        rail.openMenu(entry, event.currentTarget, false)
      }}
    >
      <button type="button" class="item-body" aria-current={chosen} onClick={() => rail.choose(entry)}>
        {/* New with its tone: Chromium may leave what is in an item as it was when the item moves meanwhile. */}
        <span class="item-head" key={`${tone} ${face.live}`}>
          <span class="state-dot" aria-hidden="true" />
          <span class="item-state">
            {progress === null ? words : `${words} ${Math.round(progress * 100)} %`}
          </span>
          {generation === null || face.live ? null : <Sparkline generation={generation} size="small" />}
          {face.live ? null : <When startedAt={face.startedAt} />}
        </span>
        <span class="item-title" data-named={face.named} dir="auto" title={face.title ?? undefined}>
          {face.title ?? face.model ?? modelWords(face.live)}
        </span>
        <span class="item-model">
          {about.map((words, i) => [i === 0 ? null : ' · ', <bdi key={i}>{words}</bdi>])}
        </span>
        {face.error !== null && face.text === '' && !face.live ? null : (
          <span class="item-text" data-live={face.live}>
            <span data-testid="generation-text">{face.text}</span>
          </span>
        )}
        {face.error === null ? null : (
          <span class="item-error error-words" title={face.error.message}>
            {face.error.message}
          </span>
        )}
        {face.live ? (
          <span class="item-speed">
            {progress === null ? (
              generation && <Sparkline generation={generation} size="wide" />
            ) : (
              <Progress part={progress} words={words} />
            )}
          </span>
        ) : null}
        {bringing === undefined ? (
          <Numbers face={face} rate={away ? null : face.rate} />
        ) : (
          <span class="item-foot">
            reading {formatCount(bringing.tokens)} of {formatCount(bringing.of)} tokens
          </span>
        )}
        {bringing === undefined ? null : (
          <Progress part={bringing.tokens / bringing.of} words="reading its tokens" />
        )}
      </button>
      {rail.renaming.value === id ? (
        // The field lies over a part of the tools.
        <RenameField rail={rail} entry={entry} />
      ) : (
        <span class="item-tools">
          {face.live ? (
            <button
              type="button"
              class="item-stop"
              data-testid="stop"
              disabled={lost.value || face.state === 'cancelling'}
              title="Stop this generation"
              onClick={() => void rail.stop(entry)}
            >
              <IconStop /> stop
            </button>
          ) : null}
          <button
            type="button"
            class="icon-button item-more"
            data-testid="item-menu"
            aria-label={`More about ${face.title ?? face.model ?? 'this generation'}`}
            aria-haspopup="menu"
            aria-expanded={rail.menu.value?.entry.id === id}
            onClick={({ currentTarget }) => rail.openMenu(entry, currentTarget, false)}
          >
            <IconMore />
          </button>
        </span>
      )}
    </li>
  )
}

function modelWords(live: boolean): string {
  return live ? 'model not named yet' : 'no model named'
}

function When({ startedAt }: { startedAt: number | null }) {
  if (startedAt === null) return null
  const { words, exact } = formatWhen(startedAt, Date.now() / 1000)
  return (
    <time class="item-when" dateTime={new Date(startedAt * 1000).toISOString()} title={exact}>
      {words}
    </time>
  )
}

function Numbers({ face, rate }: { face: RailFace; rate: number | null }) {
  const { tokens, estimated, ttftMs } = face
  return (
    <span class="item-foot">
      <span class="item-tokens" title={estimated ? 'estimated: pieces counted, not tokens' : 'tokens'}>
        {estimated ? '≈ ' : ''}
        {formatCount(tokens)} {tokens === 1 ? 'token' : tokens < SHORT_FROM ? 'tokens' : 'tok'}
      </span>
      <span class="item-ttft" title="time to the first token">
        {ttftMs === null ? '' : `TTFT ${formatDuration(ttftMs)}`}
      </span>
      <span class="item-rate" title={face.live ? 'over the last 2 s' : 'over all of it'}>
        {formatRate(rate)} tok/s
      </span>
    </span>
  )
}

function Progress({ part, words }: { part: number; words: string }) {
  const percent = Math.round(Math.max(0, Math.min(1, part)) * 100)
  return (
    <span
      class="item-progress"
      role="progressbar"
      aria-label={words}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <span class="item-progress-part" style={{ width: `${percent}%` }} />
    </span>
  )
}
