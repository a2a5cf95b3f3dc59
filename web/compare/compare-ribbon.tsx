import { useEffect, useRef, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { type TokenInk, tokenColour } from '../inspector/token-colour.ts'
import { useTokenInk } from '../inspector/use-token-ink.ts'
import { useScope } from '../scope.ts'
import type { Piece } from './column.ts'
import { type Comparison, pieceAt } from './comparison.ts'

/** Height of a lane, of the space after it, and of the line that says where they differ; in CSS pixels. */
const LANE = 9
const SPACE = 2
const DIFFERS = 3

interface Props {
  comparison: Comparison
  /** The slots that can be seen, from and to. */
  seen: readonly [number, number]
  /** Goes to a slot. */
  onGo(slot: number): void
}

/** The whole comparison at a glance: a lane for each text, its tokens in their colours, and where they differ below. */
export function CompareRibbon({ comparison, seen, onGo }: Props) {
  const { theme } = useScope()
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = useWidth(canvas)
  const { generations, slots, parting } = comparison
  // Hooks are asked for in the same number each time: there are four lanes at most.
  const [first, second, third, fourth] = generations as [Generation, Generation, Generation?, Generation?]
  const inks = [
    useTokenInk(first),
    useTokenInk(second),
    useTokenInk(third ?? first),
    useTokenInk(fourth ?? first),
  ]
  const shown = theme.shown.value
  const height = generations.length * (LANE + SPACE) + DIFFERS
  const look = inks.map(({ color, scale, now, model }) => `${color} ${scale} ${now} ${model}`).join()

  // `look` says how it is coloured
  useEffect(() => {
    if (canvas.current !== null && width > 0) paint(canvas.current, comparison, inks, width, height)
  }, [comparison, width, height, shown, look])

  const share = (slot: number) => `${(slot / Math.max(1, slots.length)) * 100}%`
  const go = (event: PointerEvent) => {
    if (event.buttons !== 1) return
    const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect()
    const at = Math.floor(((event.clientX - left) / Math.max(1, width)) * slots.length)
    onGo(Math.max(0, Math.min(slots.length - 1, at)))
  }
  return (
    // What it offers the text offers as well, to whoever scrolls it.
    <div class="compare-ribbon" aria-hidden="true">
      <div
        class="compare-ribbon-track"
        style={{ height: `${height}px` }}
        onPointerDown={go}
        onPointerMove={go}
      >
        <canvas ref={canvas} />
        <span
          class="compare-ribbon-seen"
          style={{ left: share(seen[0]), width: share(Math.max(0, seen[1] - seen[0])) }}
        />
        {parting === null ? null : <span class="compare-ribbon-parting" style={{ left: share(parting) }} />}
      </div>
    </div>
  )
}

function paint(
  canvas: HTMLCanvasElement,
  comparison: Comparison,
  inks: readonly TokenInk[],
  width: number,
  height: number,
): void {
  const { slots, generations } = comparison
  const dpr = devicePixelRatio
  canvas.width = Math.round(width * dpr)
  canvas.height = Math.round(height * dpr)
  const ctx = canvas.getContext('2d')
  if (ctx === null) return
  const style = getComputedStyle(canvas)
  const [unknown, differs] = [style.getPropertyValue('--hatch-line'), style.getPropertyValue('--soft')]
  const columns = Math.min(canvas.width, slots.length)
  for (let i = 0; i < columns; i++) {
    const from = Math.floor((i * slots.length) / columns)
    const to = Math.max(from + 1, Math.floor(((i + 1) * slots.length) / columns))
    const left = Math.floor((i * canvas.width) / columns)
    const right = Math.floor(((i + 1) * canvas.width) / columns)
    // Between tokens that are wide enough a line of the ground is left.
    const wide = Math.max(1, right - left - (right - left > 4 * dpr ? Math.round(dpr) : 0))
    for (const of of generations.keys()) {
      const piece = hardest(comparison, from, to, of)
      if (piece === null) continue
      const colour =
        piece.by === null || piece.given
          ? null
          : tokenColour(piece.by.tokens, piece.index, inks[of] as TokenInk)
      ctx.fillStyle = colour ?? unknown
      const [top, tall] = [of * (LANE + SPACE) * dpr, LANE * dpr]
      // What is not known, or was given, is no colour of the scale: a line instead of a lane.
      if (colour === null) ctx.fillRect(left, top + (tall * 2) / 3, wide, tall / 3)
      else ctx.fillRect(left, top, wide, tall)
    }
    if (slots.slice(from, to).some(({ same }) => !same)) {
      ctx.fillStyle = differs
      ctx.fillRect(left, generations.length * (LANE + SPACE) * dpr, right - left, (DIFFERS - 1) * dpr)
    }
  }
}

/** Of the tokens that share a pixel the one that was hardest to choose: that is what one looks for. */
function hardest(comparison: Comparison, from: number, to: number, of: number): Piece | null {
  let found: Piece | null = null
  const sureness = ({ by, index }: Piece) => {
    const p = by?.tokens.confidence(index) ?? Number.NaN
    return Number.isNaN(p) ? Number.POSITIVE_INFINITY : p
  }
  for (let i = from; i < to; i++) {
    const piece = pieceAt(comparison, i, of)
    if (!piece?.held) continue
    if (found === null || sureness(piece) < sureness(found)) found = piece
  }
  return found
}

/** The width of an element, in CSS pixels, as it changes. */
function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const track = element.current?.parentElement
    if (!track) return
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0))
    observer.observe(track)
    return () => observer.disconnect()
  }, [element])
  return width
}
