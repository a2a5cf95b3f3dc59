import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signal } from '@preact/signals'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { attachKeyboard } from '../../web/keyboard.ts'
import { KEYS } from '../../web/keys.ts'
import type { Scope } from '../../web/scope.ts'

/** As an event names them, where that is not what is written on the key. */
const NAMES: Record<string, string> = {
  ...{ '←': 'ArrowLeft', '→': 'ArrowRight', '↑': 'ArrowUp', '↓': 'ArrowDown' },
  ...{ '−': '-', Space: ' ', Esc: 'Escape', Del: 'Delete' },
}
/** What the part that has the focus does by itself, or the inspector. */
const ELSEWHERE = ['Enter', 'p', 'n', 'Home', 'End', '[', ']', 'Ctrl K', 'F2', 'Del']
/** The same key with and without Shift, on some keyboards. */
const TWINS = ['=', '_']

const listed = KEYS.flatMap(({ lines }) => lines.flatMap(({ keys }) => keys))

/** Presses a key on a page whose parts do nothing; says whether the page took it. */
function isTaken(key: string): boolean {
  class Nothing {}
  const page = new EventTarget()
  vi.stubGlobal('window', page)
  for (const name of ['Element', 'HTMLElement', 'HTMLInputElement']) vi.stubGlobal(name, Nothing)
  vi.stubGlobal('document', { getElementById: () => null, activeElement: null })
  const idle: Record<string, unknown> = new Proxy({}, { get: () => () => {} })
  const scope = {
    ...{ map: signal(null), panel: signal(null), help: signal(false), railOpen: signal(false) },
    part: signal('tokens'),
    ...{ selection: { current: signal(null) }, firstRun: { open: signal(false) }, playhead: idle },
    look: { layout: signal('map'), toggleMinimap: () => {} },
  }
  const stop = attachKeyboard(scope as unknown as Scope)
  const event = Object.assign(new Event('keydown', { cancelable: true }), { key })
  page.dispatchEvent(event)
  stop()
  return event.defaultPrevented
}

describe('the keys', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  test('that are listed do something', () => {
    const here = listed.filter(key => !ELSEWHERE.includes(key))
    expect(here.filter(key => !isTaken(NAMES[key] ?? key))).toEqual([])
    expect(ELSEWHERE.filter(key => !listed.includes(key))).toEqual([])
  })

  test('that do something are listed', () => {
    const written = listed.map(key => NAMES[key] ?? key)
    const printed = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
    const named = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Escape', 'Home', 'End', 'Tab', 'F1']
    const unlisted = [...printed, ...named].filter(key => !written.includes(key) && !TWINS.includes(key))
    expect(unlisted.filter(isTaken)).toEqual([])
  })

  test('are the same in the reference', () => {
    const reference = readFileSync(join(import.meta.dirname, '../../docs/reference.md'), 'utf8')
    const rows = KEYS.flatMap(({ lines }) =>
      lines.map(({ keys, does }) => `| ${keys.map(key => `\`${key}\``).join(', ')} | ${does} |`),
    )
    expect(reference).toContain(`| key | what it does |\n| --- | --- |\n${rows.join('\n')}\n`)
  })
})
