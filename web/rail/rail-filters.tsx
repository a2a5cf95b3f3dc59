import type { RefObject } from 'preact'
import { stateWords } from '../format.ts'
import { IconClose } from '../frame/icons.tsx'
import { IconSearch } from './rail-icons.tsx'
import type { RailState } from './rail-state.ts'

const STATES = ['done', 'interrupted', 'cancelled', 'failed'] as const

/** What narrows the list: words, a state, a model. */
export function RailFilters({
  rail,
  search,
}: {
  rail: RailState
  search: RefObject<HTMLInputElement | null>
}) {
  const { words, state, model } = rail.filter.value
  const models = rail.models.value
  const clear = () => {
    rail.narrow({ words: '' })
    search.current?.focus()
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && words !== '') clear()
    else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      const [first] = rail.entries.peek()
      if (first === undefined) return
      if (event.key === 'Enter') rail.choose(first)
      else rail.focus(first.id)
    } else return
    event.preventDefault()
  }
  return (
    <search class="rail-filters">
      <span class="rail-search">
        <IconSearch />
        <input
          ref={search}
          type="text"
          enterkeyhint="search"
          data-testid="rail-search"
          aria-label="Search generations"
          aria-keyshortcuts="Control+K"
          placeholder="search"
          title="Words of its text, prompt, name, tags or note; “…” is a phrase"
          autocomplete="off"
          spellcheck={false}
          maxLength={500}
          value={words}
          onInput={({ currentTarget }) => rail.narrow({ words: currentTarget.value })}
          onKeyDown={onKey}
        />
        {words === '' ? (
          <kbd>{onMac() ? '⌘K' : 'Ctrl K'}</kbd>
        ) : (
          <button type="button" class="icon-button" aria-label="Clear the search" onClick={clear}>
            <IconClose />
          </button>
        )}
      </span>
      <span class="rail-choices">
        <select
          aria-label="State"
          data-testid="rail-state"
          data-set={state !== null}
          value={state ?? ''}
          onChange={({ currentTarget }) => rail.narrow({ state: currentTarget.value || null })}
        >
          <option value="">any state</option>
          <option value="live">live</option>
          {STATES.map(name => (
            <option key={name} value={name}>
              {stateWords(name)}
            </option>
          ))}
        </select>
        <select
          aria-label="Model"
          data-testid="rail-model"
          data-set={model !== null}
          value={model ?? ''}
          onChange={({ currentTarget }) => rail.narrow({ model: currentTarget.value || null })}
        >
          <option value="">any model</option>
          {models.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
          {model !== null && !models.includes(model) ? <option value={model}>{model}</option> : null}
        </select>
      </span>
    </search>
  )
}

function onMac(): boolean {
  return /^Mac|^iP/.test(navigator.platform)
}
