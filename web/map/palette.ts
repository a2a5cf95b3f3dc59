import type { HatchInk } from '../../compositor/draw/hatch.ts'

/** The colours of the map that are not data; they come from the stylesheet, so that a theme has one home. */
export interface MapPalette {
  ground: string
  grid: string
  ink: string
  live: string
  glow: string
  hatch: HatchInk
  dark: boolean
}

/** Reads the palette of the present theme. */
export function readPalette(element: Element): MapPalette {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    ground: of('--map-ground'),
    grid: of('--map-grid'),
    ink: of('--ink'),
    live: of('--live'),
    glow: of('--map-glow'),
    hatch: { ground: of('--hatch-ground'), line: of('--hatch-line') },
    dark: of('--is-dark') === '1',
  }
}
