import { colourIn, type Rgb, scaleTable } from './scale-table.ts'

/**
 * Cividis, the colour scale of all data here: perceptually even in lightness, and the same to people with and
 * without a colour vision deficiency.
 *
 * Values: Nuñez, Anderton, Renslow (2018), "Optimizing colormaps with consideration for color vision
 * deficiency to enable accurate interpretation of scientific data", PLoS ONE 13(7): e0199239; the table of
 * 256 entries published with it, as matplotlib carries it, rounded to 8 bits.
 */
const TABLE = scaleTable(
  [0, 34, 78],
  [
    'ccccccccccccccccccccccdgfgffeeeeeeededededdeddedddddedddddddddddddddddddddddddddddcddddddd' +
      'ddcdddddddcdddddddcddddddcdddddcdddddddcddddddddddddddddddddcddddddddddddddddddddddddddddd' +
      'ddeddddddddddddddddddddddeddddddddddddedddddddddedddddddeddddddeddddedddccc',
    'dddcdddcddcddcddcddcdcddcddcddcdddcddcdddcddcddcddcdddcddcddcddcdddcddcddcddcdddcddcddcddd' +
      'cddcddcdddcddcdddcddcdddcddcdddcdddcddcdddcdddcdddcdddcdddcdddcddddcdddcddddcdddcddddcdddd' +
      'dcddddcdddddcdddddcddddddcdddddddcddddddddcdddddddddddcddddddddddddddddddde',
    'deedeedeeeedeeeeededcdccbcccccbccccbcccccbcccccccbcccccccccccccccccccccccccccdccccccccdccc' +
      'ccdccccdccccdcccdcccdccdccdccdcdccdccccccccdccccbcccccccccccccbcccccbccccbcccbcccbcccbccbc' +
      'cbcbccbcbccbcbcbcbcbcbcbbcbbcbcbbbcbbbcbbbbcbbbbbbbbbbabbbbabbababaaaaacdde',
  ],
)

/** The colour for `t`, 0 … 1; what lies outside is held at the ends. */
export function cividisRgb(t: number): Rgb {
  return colourIn(TABLE, t)
}
