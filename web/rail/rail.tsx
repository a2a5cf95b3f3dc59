import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { ItemMenu } from './item-menu.tsx'
import { RailFilters } from './rail-filters.tsx'
import { RailFoot } from './rail-foot.tsx'
import { RailList } from './rail-list.tsx'
import { NO_FILTER, RailState } from './rail-state.ts'

/** The generations, live ones first. Under 900 px a sheet. */
export function Rail() {
  const scope = useScope()
  const { store, lost, railOpen, library } = scope
  const rail = useMemo(() => new RailState(scope), [scope])
  const sheet = useRef<HTMLElement>(null)
  const search = useRef<HTMLInputElement>(null)
  const open = railOpen.value
  useEffect(() => rail.start(), [rail])

  useEffect(() => {
    if (!open) return
    // A press beside the sheet closes it; the button that opened it does so by itself.
    const onPress = ({ target }: PointerEvent) => {
      if (!(target instanceof Element) || sheet.current?.contains(target)) return
      if (target.closest('.rail-opener') === null) railOpen.value = false
    }
    document.addEventListener('pointerdown', onPress)
    return () => document.removeEventListener('pointerdown', onPress)
  }, [open, railOpen])

  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const wanted = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
      if (!wanted || event.key.toLowerCase() !== 'k') return
      event.preventDefault()
      railOpen.value = true
      // At once, for the next key is meant for it; but a sheet that is hidden takes no focus.
      search.current?.select()
      if (document.activeElement !== search.current) requestAnimationFrame(() => search.current?.select())
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [railOpen])

  const live = store.list.value.filter(generation => generation.live).length
  const filter = rail.filter.value
  const narrowed = filter.words.trim() !== '' || filter.state !== null || filter.model !== null
  const empty = rail.entries.value.length === 0
  const trouble = library.trouble.value
  return (
    <nav class="rail" data-open={open} ref={sheet} aria-label="Generations">
      <header class="panel-head">
        <h2>Generations</h2>
        <span class="panel-place">{live > 0 ? `${live} live` : ''}</span>
        <span class="panel-tools">
          <button
            type="button"
            class="icon-button rail-close"
            aria-label="Close the list"
            onClick={() => {
              railOpen.value = false
            }}
          >
            <IconClose />
          </button>
        </span>
      </header>
      <RailFilters rail={rail} search={search} />
      {trouble === null ? null : (
        <p class="rail-trouble error-words" data-tone="failed" role="alert" data-testid="library-trouble">
          {trouble.message}{' '}
          <button type="button" class="text-button" onClick={() => library.dismiss()}>
            dismiss
          </button>
        </p>
      )}
      {!empty ? (
        <RailList rail={rail} />
      ) : narrowed ? (
        <p class="note rail-empty" data-testid="rail-empty">
          {rail.records.reading.value
            ? 'Looking …'
            : (rail.records.trouble.value ?? 'Nothing here is like that.')}
          <button type="button" class="text-button" onClick={() => rail.narrow(NO_FILTER)}>
            show all
          </button>
        </p>
      ) : (
        <p class="note rail-empty">
          {emptyWords(store.ready.value && !rail.records.reading.value, lost.value)}
        </p>
      )}
      <RailFoot rail={rail} />
      <ItemMenu rail={rail} />
    </nav>
  )
}

function emptyWords(ready: boolean, lost: boolean): string {
  if (ready) return 'Nothing yet. Type a prompt below, or point an app at the base URL.'
  return lost ? 'Not connected.' : 'Waiting for the first word from Tokenscope.'
}
