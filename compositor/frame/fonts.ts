import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import { TokenscopeError } from '../../events/errors.ts'
import type { InkTone } from '../draw/rgba.ts'

const PACKAGE = '@fontsource-variable/jetbrains-mono'
/** Its files, each with the letters of some scripts. */
const SUBSETS = ['latin', 'latin-ext', 'greek', 'cyrillic', 'cyrillic-ext', 'vietnamese']
const FAMILY = 'Tokenscope Mono'

/** The faces that text is drawn in, the first that has a character. */
const FAMILIES = [
  ...SUBSETS.map(familyOf),
  'DejaVu Sans Mono',
  'Noto Sans Mono CJK SC',
  'Noto Sans CJK SC',
  'Noto Color Emoji',
  'DejaVu Sans',
]
const FACES = `${FAMILIES.map(family => `'${family}'`).join(', ')}, monospace`

/** The `font` of a 2D context for type of this many pixels: this canvas draws light letters bolder than a page does. */
export function fontOf(size: number, tone: InkTone): string {
  return `${tone === 'light' ? 400 : 500} ${size}px ${FACES}`
}

/**
 * Sees to it that text can be drawn: without faces a canvas draws none, and says nothing.
 *
 * @throws TokenscopeError INTERNAL where it cannot
 */
export function registerFonts(): void {
  const { resolve } = createRequire(import.meta.url)
  for (const subset of SUBSETS) {
    if (GlobalFonts.has(familyOf(subset))) continue
    const path = resolve(`${PACKAGE}/files/jetbrains-mono-${subset}-wght-normal.woff2`)
    GlobalFonts.registerFromPath(path, familyOf(subset))
  }
  refuseBlank()
}

function familyOf(subset: string): string {
  return subset === 'latin' ? FAMILY : `${FAMILY} ${subset}`
}

function refuseBlank(): void {
  const ctx = createCanvas(16, 16).getContext('2d')
  ctx.font = fontOf(12, 'dark')
  ctx.fillText('M', 2, 13)
  if (ctx.getImageData(0, 0, 16, 16).data.some(value => value > 0)) return
  throw new TokenscopeError(
    'INTERNAL',
    `Pictures cannot be drawn: the files of ${PACKAGE} give no letters. Install the dependencies again.`,
  )
}
