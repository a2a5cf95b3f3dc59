import type { LayoutName } from '../broadcast/protocol/view.ts'
import type { Panel, Scope } from './scope.ts'

const PAN_PX = 80
const ZOOM = 1.4
const LAYOUT_KEYS: Record<string, LayoutName> = { '1': 'map', '2': 'flow', '3': 'timeline' }
const PANEL_KEYS: Record<string, Panel> = { i: 'instruments', c: 'compare' }
/** What is open and waits for keys of its own. */
const ASKING = '[role=dialog], [role=alertdialog], [role=menu], [role=listbox]'
/** Where up and down scroll. */
const SCROLLED = '.inspector, .rail, .compare, .instruments'

/** Listens to the page's keys. Returns what stops it. */
export function attachKeyboard(scope: Scope): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const typing = isTypedIn(event.target)
    if (event.key === 'Escape') stepBack(scope, typing)
    else if (typing || isOwnKey(event.target, event.key)) return
    else if (!act(scope, event)) return
    event.preventDefault()
  }
  window.addEventListener('keydown', onKey)
  return () => window.removeEventListener('keydown', onKey)
}

/** Opens what lies over the map, or closes it where it is open. */
function togglePanel(scope: Scope, panel: Panel): void {
  scope.panel.value = scope.panel.value === panel ? null : panel
}

/** Opens the instruments at the structure of a source tree, or closes them where they show it. */
function toggleStructure({ panel, part }: Scope): void {
  const isOpen = panel.value === 'instruments' && part.value === 'structure'
  part.value = 'structure'
  panel.value = isOpen ? null : 'instruments'
}

/** Closes what lies on top: the field that is typed in, the sheet, the panel, the inspector, the hint. */
function stepBack(scope: Scope, typing: boolean): void {
  const chosen = scope.selection.current.value !== null
  if (typing && document.activeElement instanceof HTMLElement) document.activeElement.blur()
  else if (scope.railOpen.value) scope.railOpen.value = false
  // The inspector lies over what is compared, which tokens are looked at in.
  else if (scope.panel.value === 'compare' && chosen) scope.selection.clear()
  else if (scope.panel.value !== null) scope.panel.value = null
  else if (chosen) scope.selection.clear()
  else if (scope.firstRun.open.value) scope.firstRun.dismiss()
}

function act(scope: Scope, event: KeyboardEvent): boolean {
  return choose(scope, event) || moveTime(scope, event) || moveMap(scope, event)
}

/** Keys that choose what is shown. */
function choose(scope: Scope, { key, repeat }: KeyboardEvent): boolean {
  const layout = LAYOUT_KEYS[key]
  const panel = PANEL_KEYS[key]
  if (layout !== undefined) scope.look.layout.value = layout
  else if (panel !== undefined) {
    if (!repeat) togglePanel(scope, panel)
  } else if (key === 's') {
    if (!repeat) toggleStructure(scope)
  } else if (key === 'm') {
    if (!repeat) scope.look.toggleMinimap()
  } else if (key === '/') document.getElementById('prompt')?.focus()
  else if (key === '?') scope.help.value = true
  else return false
  return true
}

/** Keys that choose the moment that is shown. */
function moveTime({ playhead }: Scope, { key, repeat }: KeyboardEvent): boolean {
  if (key === 'l') playhead.goLive()
  else if (key === ',') playhead.step(-1)
  else if (key === '.') playhead.step(1)
  else if (key === ' ') {
    if (!repeat) playhead.toggle()
  } else return false
  return true
}

/** Keys that move the map, or walk along the generation that is looked at. */
function moveMap(scope: Scope, event: KeyboardEvent): boolean {
  const map = scope.map.value
  // While a token is looked at, left and right walk along its generation; with Shift they still pan.
  const walking = scope.selection.current.value !== null && !event.shiftKey
  switch (event.key) {
    case 'ArrowLeft':
      if (walking) scope.selection.walk(-1)
      else map?.pan(PAN_PX, 0, true)
      return true
    case 'ArrowRight':
      if (walking) scope.selection.walk(1)
      else map?.pan(-PAN_PX, 0, true)
      return true
    case 'ArrowUp':
    case 'ArrowDown':
      if (event.target instanceof Element && event.target.closest(SCROLLED)) return false
      map?.pan(0, event.key === 'ArrowUp' ? PAN_PX : -PAN_PX, true)
      return true
    case '+':
    case '=':
      map?.zoom(ZOOM, null, true)
      return true
    case '-':
    case '_':
      map?.zoom(1 / ZOOM, null, true)
      return true
    case '0':
      map?.fit()
      return true
    case 'f':
      map?.follow()
      return true
    default:
      return false
  }
}

/** Inputs that are pressed or moved rather than typed in. */
const PRESSED_INPUTS = ['radio', 'checkbox', 'range', 'button', 'submit', 'reset', 'color', 'file']

/** Whether letters that are pressed here are meant to be text. */
export function isTypedIn(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !PRESSED_INPUTS.includes(target.type)
  return target instanceof HTMLElement && (target.matches('textarea, select') || target.isContentEditable)
}

/** Whether what has the focus does something of its own with this key. */
function isOwnKey(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false
  if (target.closest(ASKING) !== null) return true
  if (key === ' ' && target.matches('button, summary, input, [role=button], [role=option]')) return true
  const moves = key.startsWith('Arrow') || key === '+' || key === '-'
  return moves && target.matches('input[type=radio], input[type=range], [role=slider]')
}
