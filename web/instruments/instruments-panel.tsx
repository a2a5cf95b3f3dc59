/** Charts of what is measured, and the upstreams as they are. */
export function InstrumentsPanel() {
  return null
}
