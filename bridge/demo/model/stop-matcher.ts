/**
 * Looks for stop strings in the end of a text that is still growing. `free` is how many characters of
 * `text` can be given away: those before the first stop string (then `stopped`), or those before an end that
 * may be the beginning of one. `stops` holds no empty string. Pure.
 */
export function matchStops(text: string, stops: readonly string[]): { free: number; stopped: boolean } {
  // A stop string that began earlier but is not whole yet does not matter: the first whole one ends the text.
  const found = stops.map(stop => text.indexOf(stop)).filter(at => at !== -1)
  if (found.length > 0) return { free: Math.min(...found), stopped: true }
  const longest = Math.max(0, ...stops.map(stop => stop.length))
  for (let from = Math.max(0, text.length - longest + 1); from < text.length; from++) {
    const end = text.slice(from)
    if (stops.some(stop => stop.startsWith(end))) return { free: from, stopped: false }
  }
  return { free: text.length, stopped: false }
}
