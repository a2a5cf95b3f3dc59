import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { RailItem } from './rail-item.tsx'

/** Items in the list at first; a long session has hundreds. */
const SHOWN = 120

/** The generations, live ones first. Under 900 px a sheet. */
export function Rail() {
  const { store, railOpen } = useScope()
  const list = store.list.value
  const live = list.filter(generation => generation.live).length
  return (
    <nav class="rail" data-open={railOpen.value} aria-label="Generations">
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
        <p class="note rail-empty">
          {store.ready.value
            ? 'Nothing yet. Type a prompt below, or point an app at the base URL.'
            : 'Waiting for the first word from Tokenscope.'}
        </p>
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
