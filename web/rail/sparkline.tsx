import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { scaleColour } from '../../compositor/draw/colour-scale.ts'
import { paintHatch } from '../../compositor/draw/hatch.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import type { Generation } from '../generation.ts'
import { readPalette } from '../map/palette.ts'
import { useScope } from '../scope.ts'
import { bucketsOf } from './spark-buckets.ts'

/** CSS pixels: the drawing, the strip of confidence at its foot, and a run of tokens in it. The small one is filled. */
const SIZES = {
  wide: { width: 232, height: 28, strip: 5, column: 4 },
  small: { width: 64, height: 18, strip: 3, column: 2 },
}

interface Props {
  generation: Generation
  size: keyof typeof SIZES
}

/**
 * A generation at a glance: its speed as a line over its tokens, its confidence as a strip under it. Drawn anew
 * with what it is in: a long one is summed up anew each time.
 */
export function Sparkline({ generation, size }: Props) {
  const { width, height, strip, column: narrowest } = SIZES[size]
  const { theme, look } = useScope()
  const canvas = useRef<HTMLCanvasElement>(null)
  const shown = theme.shown.value
  const scale = look.scale.value
  const { held, end } = generation.tokens
  // Colours are asked for once: each time all styles would have to be worked out first.
  const palette = useMemo(() => readPalette(document.documentElement), [shown])

  // In the same frame as the words beside it: a second one would cost as much again.
  useLayoutEffect(() => {
    const surface = canvas.current
    const ctx = surface?.getContext('2d')
    if (!surface || !ctx) return
    const ratio = window.devicePixelRatio || 1
    if (surface.width !== Math.round(width * ratio)) {
      surface.width = Math.round(width * ratio)
      surface.height = Math.round(height * ratio)
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    ctx.clearRect(0, 0, width, height)
    const buckets = bucketsOf(generation.tokens, Math.floor(width / narrowest))
    if (buckets.length === 0) return
    const column = size === 'small' ? width / buckets.length : narrowest
    const fastest = Math.max(...buckets.map(bucket => bucket.rate ?? 0))
    const room = height - strip - 3
    buckets.forEach((bucket, i) => {
      const x = i * column
      if (Number.isNaN(bucket.confidence)) paintHatch(ctx, x, height - strip, column, strip, palette.hatch)
      else {
        ctx.fillStyle = cssOfRgba(scaleColour(bucket.confidence, scale))
        ctx.fillRect(x, height - strip, column - 1, strip)
      }
    })
    ctx.beginPath()
    let drawing = false
    buckets.forEach((bucket, i) => {
      const known = bucket.rate !== null && fastest > 0
      const y = 1 + room * (1 - (bucket.rate ?? 0) / fastest)
      // A line over what was missed would lie.
      if (known && drawing) ctx.lineTo(i * column + column / 2, y)
      else if (known) ctx.moveTo(i * column + column / 2, y)
      drawing = known
    })
    ctx.strokeStyle = generation.live ? palette.live : palette.ink
    ctx.globalAlpha = generation.live ? 1 : 0.5
    ctx.lineWidth = 1.25
    ctx.lineJoin = 'round'
    ctx.stroke()
    ctx.globalAlpha = 1
  }, [end, held, palette, scale, size, generation.live, generation])

  return (
    <span class="spark" data-size={size}>
      {held < 2 ? null : (
        <canvas
          ref={canvas}
          style={{ width, height }}
          role="img"
          aria-label="speed as a line, confidence as a strip"
        />
      )}
    </span>
  )
}
