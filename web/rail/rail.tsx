import { useEffect, useRef } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { RailItem } from './rail-item.tsx'

/** Items in the list at first; a long session has hundreds. */
const SHOWN = 120

/** The generations, live ones first. Under 900 px a sheet. */
export function Rail() {
  const { store, lost, railOpen } = useScope()
  const list = store.list.value
  const sheet = useRef<HTMLElement>(null)
  const open = railOpen.value

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

  const live = list.filter(generation => generation.live).length
  return (
    <nav class="rail" data-open={open} ref={sheet} aria-label="Generations">
      <header class="panel-head">
        <h2>Generations</h2>
        <span class="panel-place">{live > 0 ? `${live} live` : list.length > 0 ? `${list.length}` : ''}</span>
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
      {list.length === 0 ? (
        <p class="note rail-empty">{emptyWords(store.ready.value, lost.value)}</p>
      ) : (
        <ul class="rail-list">
          {list.slice(0, SHOWN).map(generation => (
            <RailItem key={generation.id} generation={generation} />
          ))}
          {list.length > SHOWN ? <li class="note">and {list.length - SHOWN} older ones</li> : null}
        </ul>
      )}
    </nav>
  )
}

function emptyWords(ready: boolean, lost: boolean): string {
  if (ready) return 'Nothing yet. Type a prompt below, or point an app at the base URL.'
  return lost ? 'Not connected.' : 'Waiting for the first word from Tokenscope.'
}
