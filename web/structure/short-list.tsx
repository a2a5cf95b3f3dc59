import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { formatCount } from '../format.ts'

/** So many come at each press. */
const MORE = 200

interface Props<T> {
  items: readonly T[]
  /** Shown at first. */
  most: number
  /** The items of a list, or the rows of a table's body. */
  as?: 'ol' | 'tbody'
  class?: string
  children(item: T, place: number): ComponentChildren
}

/** The first of many, and a button for more. */
export function ShortList<T>({ items, most, as: List = 'ol', class: className, children }: Props<T>) {
  const [shown, setShown] = useState(most)
  const left = items.length - shown
  const more =
    left > 0 ? (
      <button type="button" class="text-button" onClick={() => setShown(shown + MORE)}>
        {formatCount(left)} more
      </button>
    ) : null
  return (
    <List class={className}>
      {items.slice(0, shown).map(children)}
      {more === null ? null : List === 'ol' ? (
        <li>{more}</li>
      ) : (
        <tr>
          <td colSpan={9}>{more}</td>
        </tr>
      )}
    </List>
  )
}
