/** A colour as shaders read it: red in the lowest byte, then green, blue and how much it covers. */
export type Rgba = number

/** Whether ink is lighter or darker than what lies under it can be expected to be. */
export type InkTone = 'light' | 'dark'

/** Relative luminance between dark ink and light ink: where black and white are equally far from it. */
const MIDDLE = 0.18

/** Red, green and blue of 0 … 255, covering all. */
export function rgba([red, green, blue]: readonly [number, number, number], alpha = 255): Rgba {
  return (red | (green << 8) | (blue << 16) | (alpha << 24)) >>> 0
}

/** A colour `#rrggbb`. */
export function rgbaOf(css: string, alpha = 255): Rgba {
  const value = Number.parseInt(css.slice(1), 16)
  return rgba([value >> 16, (value >> 8) & 255, value & 255], alpha)
}

/** The colour for a 2D context. */
export function cssOfRgba(colour: Rgba): string {
  const alpha = colour >>> 24
  const parts = `${colour & 255} ${(colour >>> 8) & 255} ${(colour >>> 16) & 255}`
  return alpha === 255 ? `rgb(${parts})` : `rgb(${parts} / ${alpha / 255})`
}

/** `share` of `colour` on what is left of `ground`; both cover all. */
export function mixed(ground: Rgba, colour: Rgba, share: number): Rgba {
  const part = (shift: number) => {
    const [from, to] = [(ground >>> shift) & 255, (colour >>> shift) & 255]
    return Math.round(from + (to - from) * share)
  }
  return rgba([part(0), part(8), part(16)])
}

/** The tone of a colour. */
export function toneOf(colour: Rgba): InkTone {
  return luminance(colour) >= MIDDLE ? 'light' : 'dark'
}

/** Relative luminance, 0 … 1, as WCAG 2.2 defines it. */
export function luminance(colour: Rgba): number {
  const linear = (shift: number) => {
    const value = ((colour >>> shift) & 255) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * linear(0) + 0.7152 * linear(8) + 0.0722 * linear(16)
}
