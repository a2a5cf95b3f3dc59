/** Cividis at nine places (Nuñez, Anderton, Renslow 2018): readable without colour vision, and used for data only. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [0, 34, 78],
  [18, 53, 112],
  [59, 73, 108],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [254, 232, 56],
]

/** From here on dark text is read better than light text: both have a contrast of about 4.6 there. */
const DARK_TEXT_FROM = 0.53

/** The colour of a value in [0, 1], as `#rrggbb`, and that of text upon it. */
export function dataColour(value: number): { fill: string; text: string } {
  const at = Math.min(Math.max(value, 0), 1) * (STOPS.length - 1)
  const index = Math.min(Math.floor(at), STOPS.length - 2)
  const [low, high] = [STOPS[index], STOPS[index + 1]] as [readonly number[], readonly number[]]
  const channels = low.map((from, i) => Math.round(from + ((high[i] as number) - from) * (at - index)))
  return {
    fill: `#${channels.map(channel => channel.toString(16).padStart(2, '0')).join('')}`,
    text: value < DARK_TEXT_FROM ? '#ffffff' : '#0a0e14',
  }
}
