/** Keys and what they do. */
export interface KeyLine {
  /** As they are written on the keys; each of them does what the words say, in their order. */
  keys: readonly string[]
  does: string
}

/** Keys that belong together. */
export interface KeyGroup {
  name: string
  lines: readonly KeyLine[]
}

/** All keys of the page, as the help sheet and docs/reference.md list them. */
export const KEYS: readonly KeyGroup[] = [
  {
    name: 'Look',
    lines: [
      { keys: ['1', '2', '3'], does: 'map, flow, timeline' },
      { keys: ['+', '−'], does: 'zoom in, zoom out' },
      { keys: ['←', '→', '↑', '↓'], does: 'move the map; with Shift while a token is looked at' },
      { keys: ['0', 'f'], does: 'show everything; follow what is live' },
      { keys: ['i', 's', 'c', 'm'], does: 'instruments, structure, compare, minimap' },
    ],
  },
  {
    name: 'Read',
    lines: [
      { keys: ['Enter'], does: 'look at the token in the middle, on the map' },
      { keys: ['←', '→'], does: 'previous token, next token' },
      { keys: ['p', 'n'], does: 'previous, next token that was hard to choose' },
      { keys: ['Home', 'End'], does: 'first token, last token' },
    ],
  },
  {
    name: 'Time',
    lines: [
      { keys: ['Space'], does: 'play, or hold this moment' },
      { keys: [',', '.'], does: 'one token back, one token on' },
      { keys: ['l'], does: 'back to now' },
      { keys: ['[', ']'], does: 'show only what came since, until; on the time line' },
    ],
  },
  {
    name: 'Generations',
    lines: [
      { keys: ['Ctrl K'], does: 'search' },
      { keys: ['↑', '↓'], does: 'previous, next, in the list' },
      { keys: ['F2', 'Del'], does: 'name it, remove its recording, in the list' },
    ],
  },
  {
    name: 'Everywhere',
    lines: [
      { keys: ['/'], does: 'to the prompt; ↑ there brings back the last one' },
      { keys: ['?'], does: 'the list of these keys' },
      { keys: ['Esc'], does: 'close what lies on top' },
    ],
  },
]
