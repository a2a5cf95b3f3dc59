import { useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { useScope } from '../scope.ts'
import type { RailEntry } from './rail-entry.ts'
import { RailItem } from './rail-item.tsx'
import type { RailState } from './rail-state.ts'
import { itemAt, spanOf } from './rail-window.ts'

/** Pixels beyond what is seen in which there are items, too. */
const MARGIN = 400
/** The next page is read this many pixels before the end is reached. */
const AHEAD = 1200

/** The items in view, and few more: a list of thousands costs no more than a short one. */
export function RailList({ rail }: { rail: RailState }) {
  const { selection } = useScope()
  const scroller = useRef<HTMLUListElement>(null)
  const place = useSignal({ top: 0, height: window.innerHeight })
  const within = useSignal<string | null>(null)
  /** What is at the upper edge, so that it stays there when something comes above it. */
  const anchor = useRef<{ id: string; into: number } | null>(null)
  const span = useComputed(() => {
    const { top, height } = place.value
    const { from, to } = spanOf(rail.tops.value, top - MARGIN, top + height + MARGIN)
    return `${from} ${to}`
  })
  /** Whether what is chosen was in view when the list was last looked at. */
  const chosenSeen = useRef(false)
  const entries = rail.entries.value
  const tops = rail.tops.value
  const { filter, focused } = rail

  useEffect(() => {
    const element = scroller.current as HTMLUListElement
    const observer = new ResizeObserver(() => {
      place.value = { ...place.peek(), height: element.clientHeight }
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [place])

  const keepAnchor = () => {
    const top = scroller.current?.scrollTop ?? 0
    const first = itemAt(rail.tops.peek(), top)
    const entry = rail.entries.peek()[first]
    anchor.current =
      entry && top > 0 ? { id: entry.id, into: top - (rail.tops.peek()[first] as number) } : null
  }
  const onScroll = () => {
    place.value = { ...place.peek(), top: scroller.current?.scrollTop ?? 0 }
    keepAnchor()
    chosenSeen.current = isSeen(selection.current.peek()?.generation.id ?? null)
  }

  useLayoutEffect(() => {
    const at = anchor.current && entries.findIndex(({ id }) => id === anchor.current?.id)
    if (at === null || at === -1 || scroller.current === null) return
    const top = (tops[at] as number) + (anchor.current as { into: number }).into
    if (Math.abs(scroller.current.scrollTop - top) >= 1) scroller.current.scrollTop = top
  }, [entries, tops])

  const isSeen = (id: string | null) => {
    const at = id === null ? -1 : rail.entries.peek().findIndex(entry => entry.id === id)
    const element = scroller.current
    if (at === -1 || element === null) return false
    const [top, bottom] = [rail.tops.peek()[at] as number, rail.tops.peek()[at + 1] as number]
    return top >= element.scrollTop && bottom <= element.scrollTop + element.clientHeight
  }

  // Another question is looked at from its beginning.
  useSignalEffect(() => {
    filter.value
    anchor.current = null
    if (scroller.current !== null) scroller.current.scrollTop = 0
  })

  // Read on before the end comes into view; after a failure only when asked to.
  useSignalEffect(() => {
    const { top, height } = place.value
    const { records, tops } = rail
    const end = tops.value.at(-1) as number
    const idle = !records.reading.value && !records.complete.value && records.trouble.value === null
    if (idle && top + height + AHEAD > end) void records.more()
  })

  const reveal = (id: string) => {
    const at = rail.entries.peek().findIndex(entry => entry.id === id)
    const element = scroller.current
    if (at === -1 || element === null) return
    const top = rail.tops.peek()[at] as number
    const bottom = rail.tops.peek()[at + 1] as number
    if (top < element.scrollTop) element.scrollTop = top
    else if (bottom > element.scrollTop + element.clientHeight)
      element.scrollTop = bottom - element.clientHeight
  }

  const chosen = selection.current.value?.generation.id ?? null
  const listed = chosen !== null && entries.some(({ id }) => id === chosen)
  useLayoutEffect(() => {
    if (chosen !== null) reveal(chosen)
    chosenSeen.current = isSeen(chosen)
  }, [chosen, listed])
  // What comes above it does not push it out of view; where a person scrolled away from it they stay there.
  useLayoutEffect(() => {
    if (chosen !== null && chosenSeen.current) reveal(chosen)
  }, [entries, tops])

  const wanted = focused.value
  useLayoutEffect(() => {
    if (wanted === null) return
    reveal(wanted)
    const item = scroller.current?.querySelector(`[data-generation="${CSS.escape(wanted)}"] .item-body`)
    if (!(item instanceof HTMLElement)) return
    item.focus({ preventScroll: true })
    focused.value = null
  })

  const onKey = (event: KeyboardEvent) => {
    const { target, key } = event
    const on = target instanceof Element && target.matches('.item-body') ? within.peek() : null
    const at = entries.findIndex(({ id }) => id === on)
    if (at === -1 || event.ctrlKey || event.metaKey || event.altKey) return
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[key]
    const entry = entries[at] as RailEntry
    if (to !== undefined) {
      const next = entries[Math.max(0, Math.min(entries.length - 1, to))]
      if (next !== undefined) rail.focus(next.id)
    } else if (key === 'F2') rail.renaming.value = entry.id
    else if (key === 'Delete') rail.openMenu(entry, target as HTMLElement, true)
    else return
    event.preventDefault()
  }

  const [from, to] = span.value.split(' ').map(Number) as [number, number]
  const shown: number[] = []
  for (let i = from; i < to; i++) shown.push(i)
  // What has the focus, or is to have it, stays or comes, wherever it is.
  for (const id of [within.value, wanted, rail.renaming.value]) {
    const at = id === null ? -1 : entries.findIndex(entry => entry.id === id)
    if (at !== -1 && !shown.includes(at)) shown.push(at)
  }
  shown.sort((a, b) => a - b)
  return (
    <ul
      class="rail-list"
      ref={scroller}
      onScroll={onScroll}
      onKeyDown={onKey}
      onFocusIn={({ target }) => {
        const item = target instanceof Element ? target.closest('.item') : null
        within.value = item?.getAttribute('data-generation') ?? null
      }}
      onFocusOut={() => {
        within.value = null
      }}
    >
      <li class="rail-room" role="presentation" style={{ height: `${tops[entries.length]}px` }} />
      {shown.map(i => {
        const entry = entries[i] as RailEntry
        return (
          <RailItem
            key={entry.id}
            rail={rail}
            entry={entry}
            top={tops[i] as number}
            seen={place}
            height={(tops[i + 1] as number) - (tops[i] as number)}
            place={i + 1}
            count={entries.length}
          />
        )
      })}
    </ul>
  )
}
