/** Red, green, blue of 0 … 255. */
export type Rgb = readonly [number, number, number]

/** A step that is none. */
const NO_STEP = 'c'.charCodeAt(0)

/**
 * The colours of a scale, which go from one to the next in small steps: so written they take a fifth of what they take as
 * colours on the way to a browser.
 *
 * @param first its first colour
 * @param steps of red, of green and of blue, a letter for each of the colours after it: `a` to `g` for −2 to 4
 */
export function scaleTable(first: Rgb, steps: readonly [red: string, green: string, blue: string]): Rgb[] {
  const colours = [first]
  for (let i = 0; i < steps[0].length; i++) {
    const [red, green, blue] = colours[i] as Rgb
    const step = (letters: string) => letters.charCodeAt(i) - NO_STEP
    colours.push([red + step(steps[0]), green + step(steps[1]), blue + step(steps[2])])
  }
  return colours
}

/** The colour of a scale at `t`, 0 … 1; what lies outside is held at the ends. */
export function colourIn(table: readonly Rgb[], t: number): Rgb {
  const place = t > 0 ? Math.min(table.length - 1, Math.floor(t * table.length)) : 0
  return table[place] as Rgb
}
