import { useScope } from '../scope.ts'
import { baseUrl } from './base-url.ts'
import { ConnectionSign } from './connection-sign.tsx'
import { CopyButton } from './copy-button.tsx'
import { IconList, IconScope, IconTheme } from './icons.tsx'
import { SpeedReadout } from './speed-readout.tsx'
import { UpstreamPill } from './upstream-pill.tsx'

/** The top bar: who talks, how to reach it, how fast it goes. */
export function TopBar() {
  const { store, health, theme, help, railOpen } = useScope()
  const live = store.list.value.filter(generation => generation.live).length
  const viewers = health.viewers.value
  return (
    <header class="top">
      <h1 class="wordmark">
        <IconScope />
        <span class="wordmark-text">tokenscope</span>
      </h1>
      <button
        type="button"
        class="icon-button rail-opener"
        aria-expanded={railOpen.value}
        aria-label={`Generations, ${live} live`}
        onClick={() => {
          railOpen.value = !railOpen.value
        }}
      >
        <IconList />
        {live > 0 ? <span class="rail-opener-count">{live}</span> : null}
      </button>
      <UpstreamPill />
      <CopyButton class="base-url" text={baseUrl()} label="base URL" shown />
      <span class="top-gap" />
      <ConnectionSign />
      <SpeedReadout />
      <span class="readout viewers" title="Pages and programs that watch now">
        <span class="readout-value">{viewers ?? '–'}</span>
        <span class="readout-name">{viewers === 1 ? 'viewer' : 'viewers'}</span>
      </span>
      <span class="top-tools">
        <button
          type="button"
          class="icon-button"
          data-testid="theme"
          aria-label={theme.shown.value === 'dark' ? 'Light theme' : 'Dark theme'}
          title={theme.shown.value === 'dark' ? 'Light theme' : 'Dark theme'}
          onClick={() => theme.toggle()}
        >
          <IconTheme />
        </button>
        <button
          type="button"
          class="icon-button help"
          data-testid="help"
          aria-label="Help: keys, and how to point an app here"
          title="Help (?)"
          aria-haspopup="dialog"
          onClick={() => {
            help.value = true
          }}
        >
          ?
        </button>
      </span>
    </header>
  )
}
