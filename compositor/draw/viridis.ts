import { colourIn, type Rgb, scaleTable } from './scale-table.ts'

/**
 * Viridis, the other colour scale: even in lightness, more colourful than cividis.
 *
 * Values: S. van der Walt, N. Smith (2015), the default colour map of matplotlib 2, published by its authors
 * under CC0; the table of 256 entries, rounded to 8 bits.
 */
const TABLE = scaleTable(
  [68, 1, 84],
  [
    'cdcdcccdccccdccccccccccccccccbccccbcccbccbccbcbccbcbcbcbccbcbcbcbcbcbcbcbcbcbcbcbcbccbcbcb' +
      'ccbcbccbcbccbccbcbccbccbccbcbccbccbcccbccbccccccbccdcccccdcdcdcdddcdddddedddededededeedeee' +
      'eeeeeeeeeeeeefeeefeefeefefefefefefeffefeffeffeffeffeffeffeffefeffefefefeefe',
    'dedededededededdedddeddedddeddeddddedddeddddedddddeddddddeddddddddddeddddddddddddddddddddd' +
      'ddddcdddddddddddddddddcddddddddddddddddcdddddddddddddddcddddddddddddcdddddddddcddddddcdddd' +
      'dcddddcdddcdddcddcdddcdcddcddcdcdcdcdcdcdcdcdcdccdccdcdccdccdccdccdcccdccdc',
    'edededdededdedddedddddedddddddcddddcdddcddcdcdcdcdcdccdccdcccdcccdcccccdccccccccdccccccccc' +
      'ccccccccccccccccccccccccccccccbccccccbccccbcccbccbccbccbcbcbccbbcbcbcbbcbbbcbbbcbbbbbbbbbb' +
      'bbbbbbbbabbbabbabbabbabababaababaabaabaabaaabaaababaabbabbbbcbccdcdddddedee',
  ],
)

/** The colour for `t`, 0 … 1; what lies outside is held at the ends. */
export function viridisRgb(t: number): Rgb {
  return colourIn(TABLE, t)
}
