import { formatCount, stateWords } from '../format.ts'
import type { Generation } from '../generation.ts'
import { MOST_COMPARED } from '../rail/rail-state.ts'
import { useScope } from '../scope.ts'

/** Generations that are offered; the list has the others. */
const MOST_OFFERED = 40
const WORDS = 60

/** What is shown while there are not two yet: the newest, to choose from. */
export function ComparePicker() {
  const { compared, store } = useScope()
  const offered = store.list.value.slice(0, MOST_OFFERED)
  const chosen = compared.value
  return (
    <div class="compare-picker" data-testid="compare-picker">
      <p>
        Choose {chosen.length === 1 ? 'one more' : 'two'}, and up to four. Their tokens are laid beside each
        other.
      </p>
      {offered.length === 0 ? <p class="note">Nothing has been generated yet.</p> : null}
      <ul class="compare-offers">
        {offered.map(generation => {
          const pressed = chosen.includes(generation.id)
          return (
            <li key={generation.id}>
              <button
                type="button"
                class="compare-offer"
                aria-pressed={pressed}
                onClick={() => {
                  compared.value = pressed
                    ? chosen.filter(id => id !== generation.id)
                    : [...chosen, generation.id]
                }}
              >
                <Offer generation={generation} />
              </button>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** Adds one more, by a menu of the newest. */
export function CompareAdd() {
  const { compared, store } = useScope()
  const chosen = compared.value
  if (chosen.length >= MOST_COMPARED) return null
  const offered = store.list.value.filter(({ id }) => !chosen.includes(id)).slice(0, MOST_OFFERED)
  if (offered.length === 0) return null
  return (
    <select
      class="compare-add"
      aria-label="Add a generation"
      value=""
      onChange={event => {
        if (event.currentTarget.value !== '') compared.value = [...chosen, event.currentTarget.value]
        event.currentTarget.value = ''
      }}
    >
      <option value="">add …</option>
      {offered.map(generation => (
        <option key={generation.id} value={generation.id}>
          {titleOf(generation)} · {beginningOf(generation)}
        </option>
      ))}
    </select>
  )
}

/** What a generation is called: its name, else its model. */
export function titleOf({ record, model }: Generation): string {
  return record?.name ?? model ?? 'unnamed model'
}

function Offer({ generation }: { generation: Generation }) {
  generation.revision.value // read, so that what grows is drawn anew
  return (
    <>
      <span class="compare-offer-title">{titleOf(generation)}</span>
      <span class="compare-offer-facts">
        {stateWords(generation.state)}, {formatCount(generation.tokensProcessed)} tokens
      </span>
      <span class="compare-offer-text">{beginningOf(generation)}</span>
    </>
  )
}

function beginningOf({ text }: Generation): string {
  const line = text
    .slice(0, WORDS * 2)
    .replace(/\s+/g, ' ')
    .trim()
  return line === '' ? 'no text' : line.length > WORDS ? `${line.slice(0, WORDS)}…` : line
}
