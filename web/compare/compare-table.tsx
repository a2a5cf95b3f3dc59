import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useScope } from '../scope.ts'
import type { Selected } from '../selection.ts'
import { CompareHead } from './compare-head.tsx'
import { CompareRibbon } from './compare-ribbon.tsx'
import { ComparePartingRow, CompareRow } from './compare-row.tsx'
import { type Comparison, pieceAt } from './comparison.ts'

/** Slots that are drawn at first, and with each look further down. */
const SLOTS_AT_ONCE = 800
/** Nearer to the end than this, in pixels, more is drawn. */
const NEAR_END = 1200

/** The columns: heads that stay, and rows that scroll together. */
export function CompareTable({ comparison }: { comparison: Comparison }) {
  const { selection } = useScope()
  const scroller = useRef<HTMLDivElement>(null)
  const [drawn, setDrawn] = useState(SLOTS_AT_ONCE)
  const [seen, setSeen] = useState<readonly [number, number]>([0, 0])
  const wanted = useRef<number | null>(null)
  const { generations, slots, stretches, parting } = comparison
  const chosen = selection.current.value
  const [chosenSlot, column] = placeOf(comparison, chosen)
  const rows = stretches.filter(({ from }) => from < drawn)

  const look = () => {
    const box = scroller.current
    if (box === null) return
    if (box.scrollTop + box.clientHeight > box.scrollHeight - NEAR_END && drawn < slots.length)
      setDrawn(drawn + SLOTS_AT_ONCE)
    const next = seenSlots(box)
    setSeen(now => (now[0] === next[0] && now[1] === next[1] ? now : next))
  }
  const show = (slot: number) => {
    wanted.current = slot
    if (slot >= drawn) setDrawn(slot + SLOTS_AT_ONCE)
    else reach()
  }
  const reach = () => {
    const box = scroller.current
    if (box === null || wanted.current === null) return
    const at = box.querySelector<HTMLElement>(`[data-slot="${wanted.current}"]`)
    wanted.current = null
    if (at === null) return
    const top = at.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop
    box.scrollTop = top - box.clientHeight / 3
  }
  useLayoutEffect(() => {
    reach()
    look()
  })
  // Opened where they part, with what led there above it.
  const ids = generations.map(({ id }) => id).join()
  // Once for those that are compared, not with each token
  useEffect(() => {
    if (parting !== null) show(parting)
  }, [ids])
  // When another is chosen, not with each token
  useEffect(() => {
    const box = scroller.current
    if (box === null || chosenSlot === null) return
    box.querySelector(`[data-slot="${chosenSlot}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  const pick = (event: MouseEvent) => {
    const { of, slot } = (event.target as HTMLElement).dataset ?? {}
    const piece = of === undefined ? null : pieceAt(comparison, Number(slot), Number(of))
    if (piece !== null && piece.by !== null) selection.token(piece.by, piece.index)
  }
  return (
    <>
      <CompareRibbon comparison={comparison} seen={seen} onGo={show} />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard walks with the arrows once a token is chosen */}
      <section
        class="compare-scroll"
        data-testid="compare-scroll"
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard must be able to
        tabIndex={0}
        aria-label="Their texts"
        style={{ '--columns': generations.length }}
        onScroll={look}
        onClick={pick}
      >
        <div class="compare-heads">
          {generations.map((generation, of) => (
            <CompareHead key={generation.id} generations={generations} of={of} />
          ))}
        </div>
        {rows.map(stretch => [
          stretch.from === parting ? (
            <ComparePartingRow key="parting" comparison={comparison} slot={stretch.from} />
          ) : null,
          <CompareRow
            key={stretch.from}
            comparison={comparison}
            stretch={stretch}
            chosen={
              chosenSlot !== null && chosenSlot >= stretch.from && chosenSlot < stretch.to ? chosenSlot : null
            }
            column={column}
          />,
        ])}
      </section>
    </>
  )
}

/** Where a chosen token stands: its slot and its column. */
function placeOf(
  { slots, columns }: Comparison,
  chosen: Selected | null,
): [slot: number | null, column: number] {
  if (chosen === null || chosen.index === null) return [null, -1]
  for (const [of, pieces] of columns.entries()) {
    const at = pieces.findIndex(({ by, index }) => by === chosen.generation && index === chosen.index)
    if (at !== -1) return [slots.findIndex(slot => slot.at[of] === at), of]
  }
  return [null, -1]
}

/** The slots whose rows can be seen, from and to. */
function seenSlots(box: HTMLElement): readonly [number, number] {
  const { top, bottom } = box.getBoundingClientRect()
  const heads = box.querySelector('.compare-heads')?.getBoundingClientRect().bottom ?? top
  let [from, to] = [Number.POSITIVE_INFINITY, 0]
  for (const row of box.querySelectorAll<HTMLElement>('.compare-row')) {
    const place = row.getBoundingClientRect()
    if (place.bottom < heads || place.top > bottom) continue
    const [first, last] = [Number(row.dataset.from), Number(row.dataset.to)]
    // Of a row that is seen in part, that part.
    const share = (y: number) => first + ((last - first) * (y - place.top)) / Math.max(1, place.height)
    from = Math.min(from, Math.max(first, share(heads)))
    to = Math.max(to, Math.min(last, share(bottom)))
  }
  return from < to ? [from, to] : [0, 0]
}
