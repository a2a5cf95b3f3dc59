/** The few signs of the page, drawn on a 16 × 16 grid in the colour of their text. */
import type { ComponentChildren } from 'preact'

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

/** A beam that jumps: the sign of Tokenscope. */
export function IconScope() {
  return (
    <svg
      class="icon icon-scope"
      viewBox="0 0 20 20"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      <rect x="1" y="1" width="18" height="18" rx="4" />
      <path d="M3.5 11.5h3l1.6-6 3 9 1.8-5.2h3.6" />
    </svg>
  )
}

export const IconClose = () => (
  <Icon>
    <path d="M4 4l8 8M12 4l-8 8" />
  </Icon>
)

export const IconNext = () => (
  <Icon>
    <path d="M6 3.5L10.5 8 6 12.5" />
  </Icon>
)

export const IconPrevious = () => (
  <Icon>
    <path d="M10 3.5L5.5 8l4.5 4.5" />
  </Icon>
)

export const IconLocate = () => (
  <Icon>
    <path d="M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10" />
  </Icon>
)

export const IconCopy = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 3.5v-.2A1.3 1.3 0 0 0 9.2 2H3.3A1.3 1.3 0 0 0 2 3.3v5.9a1.3 1.3 0 0 0 1.3 1.3h.2" />
  </Icon>
)

export const IconCheck = () => (
  <Icon>
    <path d="M3 8.5l3.5 3.5L13 4.5" />
  </Icon>
)

export const IconTheme = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.5" />
    <path class="icon-solid" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />
  </Icon>
)

export const IconStop = () => (
  <Icon>
    <rect class="icon-solid" x="4.5" y="4.5" width="7" height="7" rx="1" />
  </Icon>
)

export const IconList = () => (
  <Icon>
    <path d="M2.5 4h11M2.5 8h11M2.5 12h7" />
  </Icon>
)

export const IconSend = () => (
  <Icon>
    <path d="M13 3v4a2 2 0 0 1-2 2H3.5M6.5 6l-3 3 3 3" />
  </Icon>
)

export const IconSliders = () => (
  <Icon>
    <path d="M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6" />
    <circle cx="10.25" cy="5" r="1.75" />
    <circle cx="5.75" cy="11" r="1.75" />
  </Icon>
)

export const IconLink = () => (
  <Icon>
    <path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-1 1" />
    <path d="M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l1-1" />
  </Icon>
)

export const IconMinimap = () => (
  <Icon>
    <rect x="1.5" y="3" width="13" height="10" rx="1.5" />
    <rect class="icon-solid" x="8" y="7.5" width="4.5" height="3.5" rx="0.5" />
  </Icon>
)
