/** The root of the page: makes its parts, connects them, and shows them. */
import './styles/index.css'
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { createScopeClient } from '../broadcast/client.ts'
import { App } from './app.tsx'
import { FirstRun } from './frame/first-run-state.ts'
import { Health } from './health.ts'
import { rememberedPart } from './instruments/instrument-part.ts'
import { attachKeyboard } from './keyboard.ts'
import { Library } from './library.ts'
import { createLost } from './lost.ts'
import { MapLook } from './map/map-look.ts'
import type { MapView } from './map/map-view.ts'
import { Compose } from './prompt/compose.ts'
import { postGeneration } from './prompt/generation-request.ts'
import { RecordedTokens } from './recorded-tokens.ts'
import { listRecords, readRecord } from './records-api.ts'
import { createTick, type Scope } from './scope.ts'
import { Selection } from './selection.ts'
import { readTokens } from './server-api.ts'
import { ScopeStore } from './store.ts'
import { exposeForTests } from './test-hook.ts'
import { Theme } from './theme.ts'
import { Playhead } from './time/playhead.ts'
import { SessionLine } from './time/session-line.ts'
import { onWaking } from './waking.ts'

/** Entries whose detail is asked for once, so that the map is not empty on arrival. */
const HISTORY_ENTRIES = 6000
/** Tokens that are read from the records where the log has them no more, as after a restart. */
const RECORDED_TOKENS = 6000
/** By then the log has mostly told what it has. */
const RECORDED_AFTER_MS = 300
/** As often as one can read it. */
const TICK_MS = 500

const theme = new Theme()
const store = new ScopeStore({ schedule: callback => requestAnimationFrame(callback) })
const health = new Health()
const firstRun = new FirstRun(store)
const selection = new Selection(store)
const compared = signal<readonly string[]>([])
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
  onPlaced: placed => scope.map.peek()?.placed(placed),
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

const line = new SessionLine({
  store,
  list: (limit, cursor) => listRecords({ q: null, state: null, model: null }, limit, cursor),
})

const compose = new Compose({
  start: async request => {
    const start = postGeneration(request)
    await firstRun.ours(start.then(({ id }) => id))
    return start
  },
  models: () => health.upstream.peek().models ?? [],
  began: ids => {
    scope.playhead.goLive()
    scope.map.peek()?.follow()
    if (ids.length === 1) return
    scope.compared.value = ids
    scope.panel.value = 'compare'
  },
})

const scope: Scope = {
  store,
  client,
  health,
  selection,
  library: new Library({ store, selection, compared, readRecord, readTokens }),
  look: new MapLook(),
  playhead: new Playhead({
    now: () => store.now,
    moment: (at, step) => line.moment(at, step),
    resume: at => line.resume(at),
  }),
  line,
  compared,
  panel: signal(null),
  part: rememberedPart(),
  compose,
  theme,
  firstRun,
  help: signal(false),
  map: signal<MapView | null>(null),
  railOpen: signal(false),
  lost: createLost(store.connection),
  tick: createTick(() => store.list.peek().some(generation => generation.live), TICK_MS),
}
attachKeyboard(scope)
exposeForTests(scope)
render(<App scope={scope} />, document.getElementById('page') as HTMLElement)
