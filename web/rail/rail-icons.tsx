/** Signs of the list, drawn on a 16 × 16 grid in the colour of their text. */

export const IconMore = () => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <circle class="icon-solid" cx="3.5" cy="8" r="1.25" />
    <circle class="icon-solid" cx="8" cy="8" r="1.25" />
    <circle class="icon-solid" cx="12.5" cy="8" r="1.25" />
  </svg>
)

export const IconSearch = () => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
    <circle cx="7" cy="7" r="4" />
    <path d="M10 10l3.5 3.5" />
  </svg>
)
