/** The signs of the time line, drawn on the grid of the others. */
import type { ComponentChildren } from 'preact'

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

export const IconPlay = () => (
  <Icon>
    <path class="icon-solid" d="M5 3.2v9.6L12.8 8z" />
  </Icon>
)

export const IconPause = () => (
  <Icon>
    <rect class="icon-solid" x="4" y="3.5" width="3" height="9" rx="0.5" />
    <rect class="icon-solid" x="9" y="3.5" width="3" height="9" rx="0.5" />
  </Icon>
)

export const IconStepBack = () => (
  <Icon>
    <path d="M4.5 4v8" />
    <path class="icon-solid" d="M12 4v8L6.5 8z" />
  </Icon>
)

export const IconStepOn = () => (
  <Icon>
    <path d="M11.5 4v8" />
    <path class="icon-solid" d="M4 4v8L9.5 8z" />
  </Icon>
)

export const IconInstruments = () => (
  <Icon>
    <path d="M2.5 2.5v11h11" />
    <path d="M5 10l2.4-3.4 2 2L13 4.5" />
  </Icon>
)
