import { useEffect, useRef } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import type { Generation } from '../generation.ts'
import { isTypedIn } from '../keyboard.ts'
import { COLOUR_WORDS } from '../map/legend-words.ts'
import { ScaleBar } from '../map/scale-bar.tsx'
import { useScope } from '../scope.ts'
import type { Given } from './column.ts'
import { CompareAdd, ComparePicker } from './compare-picker.tsx'
import { CompareTable } from './compare-table.tsx'
import { type Comparison, compare, LETTERS } from './comparison.ts'
import { comparisonWords } from './comparison-words.ts'
import { useCompared } from './use-compared.ts'
import { useGivens } from './use-givens.ts'

/** Generations side by side, token by token, and where they part. */
export function CompareView() {
  const { panel, compared } = useScope()
  const chosen = useCompared()
  const section = useRef<HTMLElement>(null)
  const here = chosen.flatMap(({ generation }) => generation ?? [])
  const comparison = useComparison(here, useGivens(here))
  const away = chosen.filter(({ generation }) => generation === null)

  useEffect(() => {
    const opener = document.activeElement
    // Who is writing goes on writing: it may open by itself, when two were asked.
    if (!isTypedIn(opener)) section.current?.focus({ preventScroll: true })
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected && document.activeElement === document.body)
        opener.focus({ preventScroll: true })
    }
  }, [])

  return (
    <section
      class="compare panel-over"
      data-testid="compare"
      aria-label="Compare"
      tabIndex={-1}
      ref={section}
    >
      <header class="panel-head compare-bar">
        <h2>Compare</h2>
        <p class="compare-words" role="status" data-testid="compare-words">
          {comparison === null ? null : comparisonWords(comparison)}
        </p>
        <span class="panel-tools">
          {comparison === null ? null : <ColourKey />}
          {compared.value.length >= 2 ? <CompareAdd /> : null}
          <button
            type="button"
            class="icon-button"
            aria-label="Close"
            title="Close (Esc)"
            onClick={() => {
              panel.value = null
            }}
          >
            <IconClose />
          </button>
        </span>
      </header>
      {away.map(({ id, trouble }) => (
        <p key={id} class="compare-away" role={trouble === null ? 'status' : 'alert'}>
          {trouble === null ? `${LETTERS[chosen.findIndex(one => one.id === id)]} is being read …` : trouble}{' '}
          {trouble === null ? null : (
            <button
              type="button"
              class="text-button"
              onClick={() => {
                compared.value = compared.value.filter(other => other !== id)
              }}
            >
              leave it out
            </button>
          )}
        </p>
      ))}
      {comparison === null ? <ComparePicker /> : <CompareTable comparison={comparison} />}
    </section>
  )
}

/** What the lines under the tokens stand for: the map with its legend lies below. */
function ColourKey() {
  const { look } = useScope()
  const { title, meaning, ends } = COLOUR_WORDS[look.color.value]
  return (
    <span class="compare-key" title={meaning}>
      <span>{title}</span>
      {ends === null ? null : (
        <>
          <span>{ends[0]}</span>
          <span class="compare-key-bar">
            <ScaleBar scale={look.scale.value} label="to" />
          </span>
          <span>{ends[1]}</span>
        </>
      )}
    </span>
  )
}

/** Of a comparison that took long the next one waits this many times as long. */
const REST = 8

/** Laid beside each other anew when tokens came, with the tick while they do; null for less than two. */
function useComparison(
  generations: readonly Generation[],
  givens: ReadonlyMap<string, Given>,
): Comparison | null {
  const { tick } = useScope()
  const last = useRef<{
    state: string
    comparison: Comparison
    givens: ReadonlyMap<string, Given>
    ended: number
    took: number
  } | null>(null)
  const live = generations.some(generation => generation.live)
  if (live) tick.value
  else for (const { revision } of generations) revision.value
  if (generations.length < 2) return null
  const ids = generations.map(({ id }) => id).join()
  const state = generations.map(({ id, tokens, live }) => `${id} ${tokens.held} ${tokens.end} ${live}`).join()
  const { current } = last
  const begun = performance.now()
  if (current?.state === state && current.givens === givens) return current.comparison
  const isRecent = current !== null && begun - current.ended < current.took * REST
  const isSame = current?.comparison.generations.map(({ id }) => id).join() === ids
  if (live && isRecent && isSame && current.givens === givens) return current.comparison
  const comparison = compare(generations, givens)
  const ended = performance.now()
  last.current = { state, comparison, givens, ended, took: ended - begun }
  return comparison
}
