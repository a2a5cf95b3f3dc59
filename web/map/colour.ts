/** Red, green, blue of 0 … 1. */
export type Rgb = [number, number, number]

/** A colour of the stylesheet, `#rgb` or `#rrggbb`, as red, green, blue of 0 … 1. Anything else is black. */
export function rgbOf(css: string): Rgb {
  const long = /^#[0-9a-f]{3}$/i.test(css) ? css.replace(/[0-9a-f]/gi, '$&$&') : css
  const value = Number.parseInt(long.slice(1), 16) || 0
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255]
}

/** A colour for a 2D context. */
export function cssOf([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red * 255} ${green * 255} ${blue * 255} / ${alpha})`
}
