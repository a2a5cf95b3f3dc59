/** The signs of the inspector and of comparing, on the page's grid of 16 × 16. */
import type { ComponentChildren } from 'preact'

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

/** A way that parts from another. */
export const IconBranch = () => (
  <Icon>
    <path d="M2.5 8h3c3 0 3-4 6-4h2M11 1.5L13.5 4 11 6.5" />
    <path d="M2.5 8h3c3 0 3 4 6 4h2" opacity="0.45" />
  </Icon>
)

/** To the token before that was hard to choose. */
export const IconDipPrevious = () => (
  <Icon>
    <path d="M14 4.5h-2.5L9 11 6.5 4.5H5M4.5 2L2 4.5 4.5 7" />
  </Icon>
)

/** To the next token that was hard to choose. */
export const IconDipNext = () => (
  <Icon>
    <path d="M2 4.5h2.5L7 11l2.5-6.5H11M11.5 2L14 4.5 11.5 7" />
  </Icon>
)

/** Two columns beside each other. */
export const IconCompare = () => (
  <Icon>
    <rect x="2.5" y="2.5" width="4.5" height="11" rx="1" />
    <rect x="9" y="2.5" width="4.5" height="11" rx="1" />
  </Icon>
)
