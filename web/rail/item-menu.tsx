import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatCount } from '../format.ts'
import { exportPath } from '../records-api.ts'
import { useScope } from '../scope.ts'
import { isOver, type RailEntry, recordOf } from './rail-entry.ts'
import { MOST_COMPARED, type OpenMenu, type RailState } from './rail-state.ts'

/** Pixels between the menu and what opened it, and to the edges of the window. */
const GAP = 4
const FORMATS = ['jsonl', 'csv', 'txt', 'png'] as const
const SPEEDS = [
  { speed: 1, words: '×1' },
  { speed: 4, words: '×4' },
  { speed: 16, words: '×16' },
  { speed: 'unlimited', words: 'at once' },
] as const

/** What can be done with a generation. Lies above everything; closes with Esc, or a press beside it. */
export function ItemMenu({ rail }: { rail: RailState }) {
  const menu = useRef<HTMLDivElement>(null)
  const open = rail.menu.value

  useLayoutEffect(() => {
    const element = menu.current
    if (element === null || open === null) return
    if (!element.matches(':popover-open')) element.showPopover()
    const { left, top } = placeFor(element, open)
    element.style.left = `${left}px`
    element.style.top = `${top}px`
    const first = element.querySelector<HTMLElement>(open.asking ? '[data-keep]' : '[role=menuitem]')
    first?.focus({ preventScroll: true })
  }, [open])

  if (open === null) return null
  const close = () => rail.closeMenu(true)
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation()
    const all = [...(menu.current?.querySelectorAll<HTMLElement>('a, button:not(:disabled)') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    const back = event.key === 'ArrowUp' || event.key === 'ArrowLeft'
    if (event.key === 'Escape' || event.key === 'Tab') close()
    else if (event.key === 'Home') all[0]?.focus()
    else if (event.key === 'End') all.at(-1)?.focus()
    else if (back) all[(at + all.length - 1) % all.length]?.focus()
    else if (event.key === 'ArrowDown' || event.key === 'ArrowRight') all[(at + 1) % all.length]?.focus()
    else return
    event.preventDefault()
  }
  return (
    <div
      key={open.entry.id}
      ref={menu}
      popover="auto"
      class="item-menu float"
      onToggle={({ newState }) => {
        if (newState === 'closed') rail.closeMenu(false)
      }}
    >
      {open.asking ? (
        <div role="alertdialog" tabIndex={-1} aria-label="Remove the recording?" onKeyDown={onKey}>
          <Asking rail={rail} open={open} />
        </div>
      ) : (
        <div
          role="menu"
          tabIndex={-1}
          aria-label="What can be done with it"
          data-testid="menu"
          onKeyDown={onKey}
        >
          <Choices rail={rail} open={open} />
        </div>
      )}
    </div>
  )
}

function Choices({ rail, open }: { rail: RailState; open: OpenMenu }) {
  const { compared } = useScope()
  const { entry } = open
  const over = isOver(entry)
  // There is no picture of nothing.
  const formats = tokensOf(entry) > 0 ? FORMATS : FORMATS.filter(format => format !== 'png')
  const recorded = rail.off.value !== true || recordOf(entry) !== null
  const isCompared = compared.value.includes(entry.id)
  const full = !isCompared && compared.value.length >= MOST_COMPARED
  const then = (action: () => unknown) => () => {
    rail.closeMenu(true)
    action()
  }
  return (
    <>
      {recorded ? (
        <Choice
          words="Name it …"
          keys="F2"
          onChoose={() => {
            rail.closeMenu(false)
            rail.renaming.value = entry.id
          }}
        />
      ) : null}
      <Choice
        words={isCompared ? 'Compare it no more' : full ? `Compare (${MOST_COMPARED} are chosen)` : 'Compare'}
        disabled={full}
        onChoose={then(() => rail.compare(entry))}
      />
      <Choice words="Copy text" onChoose={then(() => rail.copyText(entry))} />
      <Choice words="Copy link" onChoose={then(() => rail.copyLink(entry))} />
      {over ? null : <Choice words="Stop" onChoose={then(() => rail.stop(entry))} />}
      {recorded && over ? (
        <fieldset class="menu-row" aria-label="Play again">
          <span class="menu-label">Play again</span>
          {SPEEDS.map(({ speed, words }) => (
            <button
              key={speed}
              type="button"
              role="menuitem"
              aria-label={`Play again ${words}`}
              onClick={then(() => rail.replay(entry, speed))}
            >
              {words}
            </button>
          ))}
        </fieldset>
      ) : null}
      {recorded ? (
        <fieldset class="menu-row" aria-label="Save as">
          <span class="menu-label">Save as</span>
          {formats.map(format => (
            <a
              key={format}
              role="menuitem"
              aria-label={`Save as ${format}`}
              href={exportPath(entry.id, format)}
              download
              onClick={() => rail.closeMenu(true)}
            >
              {format}
            </a>
          ))}
        </fieldset>
      ) : null}
      {recorded && over ? (
        <Choice
          words="Remove recording …"
          keys="Del"
          onChoose={() => {
            rail.menu.value = { ...open, asking: true }
          }}
        />
      ) : null}
    </>
  )
}

interface ChoiceProps {
  words: string
  keys?: string
  disabled?: boolean
  onChoose(): void
}

function Choice({ words, keys, disabled = false, onChoose }: ChoiceProps) {
  return (
    <button type="button" role="menuitem" class="menu-choice" disabled={disabled} onClick={onChoose}>
      <span>{words}</span>
      {keys ? <kbd>{keys}</kbd> : null}
    </button>
  )
}

function Asking({ rail, open }: { rail: RailState; open: OpenMenu }) {
  const { entry } = open
  const tokens = tokensOf(entry)
  return (
    <>
      <p>
        Remove the recording{tokens > 0 ? ` of ${formatCount(tokens)} tokens` : ''} from Tokenscope’s data
        folder? It cannot be had back.
      </p>
      <div class="menu-row menu-answers">
        <button type="button" data-keep onClick={() => rail.closeMenu(true)}>
          keep
        </button>
        <button
          type="button"
          class="menu-remove"
          data-testid="remove"
          onClick={() => {
            rail.focusBeside(entry)
            rail.closeMenu(false)
            void rail.remove(entry)
          }}
        >
          remove
        </button>
      </div>
    </>
  )
}

function tokensOf(entry: RailEntry): number {
  return Math.max(recordOf(entry)?.tokens ?? 0, entry.generation?.told ?? 0)
}

/** Under what opened it, or above where there is no room; inside of the window. */
function placeFor(element: HTMLElement, { place }: OpenMenu): { left: number; top: number } {
  const { offsetWidth: width, offsetHeight: height } = element
  const under = place.bottom + GAP
  const above = place.top - GAP - height
  const top = under + height + GAP <= window.innerHeight || above < GAP ? under : above
  const left = Math.min(place.right - width, window.innerWidth - width - GAP)
  return {
    left: Math.max(GAP, left),
    top: Math.max(GAP, Math.min(top, window.innerHeight - height - GAP)),
  }
}
