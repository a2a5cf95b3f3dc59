import type { Scope } from './scope.ts'

const PAN_PX = 80
const ZOOM = 1.4

/** Listens to the page's keys. Returns what stops it. */
export function attachKeyboard(scope: Scope): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const typing = isField(event.target)
    if (event.key === 'Escape') stepBack(scope, typing)
    else if (typing) return
    else if (!act(scope, event)) return
    event.preventDefault()
  }
  window.addEventListener('keydown', onKey)
  return () => window.removeEventListener('keydown', onKey)
}

/** Closes what lies on top: the field that is typed in, the sheet, the inspector, the hint. */
function stepBack(scope: Scope, typing: boolean): void {
  if (typing && document.activeElement instanceof HTMLElement) document.activeElement.blur()
  else if (scope.railOpen.value) scope.railOpen.value = false
  else if (scope.selection.current.value !== null) scope.selection.clear()
  else if (scope.firstRun.open.value) scope.firstRun.dismiss()
}

function act(scope: Scope, event: KeyboardEvent): boolean {
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
      // In a panel they scroll it.
      if (event.target instanceof Element && event.target.closest('.inspector, .rail')) return false
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
    case '/':
      document.getElementById('prompt')?.focus()
      return true
    case '?':
      scope.firstRun.toggle()
      return true
    default:
      return false
  }
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('input, textarea, select')
}
