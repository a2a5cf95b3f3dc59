/** The root of the page: makes its parts, connects them, and shows them. */
import './styles/index.css'
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { createScopeClient } from '../broadcast/client.ts'
import { App } from './app.tsx'
import { FirstRun } from './frame/first-run-state.ts'
import { Health } from './health.ts'
import { attachKeyboard } from './keyboard.ts'
import { Library } from './library.ts'
import { createLost } from './lost.ts'
import { MapLook } from './map/map-look.ts'
import type { MapView } from './map/map-view.ts'
import { RecordedTokens } from './recorded-tokens.ts'
import { createTick, type Scope } from './scope.ts'
import { Selection } from './selection.ts'
import { readTokens } from './server-api.ts'
import { ScopeStore } from './store.ts'
import { exposeForTests } from './test-hook.ts'
import { Theme } from './theme.ts'
import { Playhead } from './time/playhead.ts'
import { onWaking } from './waking.ts'

/** Entries whose detail is asked for once, so that the map is not empty on arrival. */
const HISTORY_ENTRIES = 6000
/** Tokens that are read from the records where the log has them no more, as after a restart. */
const RECORDED_TOKENS = 6000
/** By then the log has mostly told what it has. */
const RECORDED_AFTER_MS = 300
const TICK_MS = 250

const theme = new Theme()
const store = new ScopeStore({ schedule: callback => requestAnimationFrame(callback) })
const health = new Health()
const firstRun = new FirstRun(store)
const selection = new Selection(store)
const recorded = new RecordedTokens({ store, read: readTokens, mostTokens: RECORDED_TOKENS })

const client = createScopeClient({
  url: `${location.origin.replace(/^http/, 'ws')}/scope/v1/stream`,
  historyEntries: HISTORY_ENTRIES,
  onMessage: (message, delivery) => {
    store.apply(message, delivery)
    // Sent anew when another model answers from now on: who it is is asked at once.
    if (message.type === 'hello') health.ask()
    if (message.type === 'snapshot') setTimeout(() => recorded.look(), RECORDED_AFTER_MS)
  },
  onState: state => {
    store.connection.value = state
  },
})

onWaking(() => client.wake())
effect(() => {
  store.connection.value // read: however it changed, the server is asked how it is
  health.ask()
})
effect(() => {
  // The server is back before the client's patience is over, which grows with each attempt.
  if (health.reached.value && client.state.kind === 'waiting') client.wake()
})

const scope: Scope = {
  store,
  client,
  health,
  selection,
  library: new Library({ store, selection }),
  look: new MapLook(),
  playhead: new Playhead(),
  compared: signal([]),
  panel: signal(null),
  theme,
  firstRun,
  map: signal<MapView | null>(null),
  railOpen: signal(false),
  lost: createLost(store.connection),
  tick: createTick(() => store.list.peek().some(generation => generation.live), TICK_MS),
}
attachKeyboard(scope)
exposeForTests(scope)
render(<App scope={scope} />, document.getElementById('page') as HTMLElement)
