import { signal } from '@preact/signals'
import { afterEach, expect, test, vi } from 'vitest'
import { DeepLink } from '../../web/map/deep-link.ts'
import { MapLook } from '../../web/map/map-look.ts'
import type { Scope } from '../../web/scope.ts'
import { Playhead } from '../../web/time/playhead.ts'

afterEach(() => vi.unstubAllGlobals())

/** A page at the address `hash`; its library opens a generation when it is told to. */
function page(hash: string) {
  const window = new EventTarget()
  const location = { hash, origin: '', pathname: '/', search: '' }
  vi.stubGlobal('window', window)
  vi.stubGlobal('location', location)
  vi.stubGlobal('history', { state: null, replaceState: () => {} })
  const shown: string[] = []
  const opened = new Map<string, (isThere: boolean) => void>()
  const scope = {
    look: new MapLook(),
    playhead: new Playhead({ frame: () => {} }),
    selection: { current: signal(null) },
    store: { ready: signal(true) },
    library: { open: (id: string) => new Promise<boolean>(resolve => opened.set(id, resolve)) },
    map: signal({
      facts: { bounds: signal([0, 0, 9, 9]), seen: signal({}) },
      following: signal(true),
      pose: () => ({ x: 0, y: 0, zoom: 1, zoomY: 1 }),
      show: ({ id }: { id: string }) => shown.push(id),
    }),
  } as unknown as Scope
  const link = new DeepLink(scope)
  link.start()
  const go = (to: string) => {
    location.hash = to
    window.dispatchEvent(new Event('hashchange'))
  }
  return { link, shown, opened, go }
}

const settled = () => new Promise(resolve => setImmediate(resolve))

test('a link to a generation shows it, once it is there', async () => {
  const { link, shown, opened } = page('#g=g_1')
  await settled()
  expect(shown).toEqual([])
  opened.get('g_1')?.(true)
  await settled()
  expect(shown).toEqual(['g_1'])
  link.stop()
})

test('what was fetched for a link is not shown when another one was followed meanwhile', async () => {
  const { link, shown, opened, go } = page('#g=g_1')
  await settled()
  go('#g=g_2')
  await settled()
  opened.get('g_2')?.(true)
  await settled()
  opened.get('g_1')?.(true)
  await settled()
  expect(shown).toEqual(['g_2'])
  go('#layout=flow')
  link.stop()
})

test('after the end no link is followed any more', async () => {
  const { link, shown, opened, go } = page('#g=g_1')
  await settled()
  link.stop()
  opened.get('g_1')?.(true)
  go('#g=g_2')
  await settled()
  expect(shown).toEqual([])
  expect([...opened.keys()]).toEqual(['g_1'])
})
