import { useEffect, useRef } from 'preact/hooks'
import { cividisCss } from '../../compositor/draw/cividis.ts'
import { paintHatch } from '../../compositor/draw/hatch.ts'
import type { Generation } from '../generation.ts'
import { readPalette } from '../map/palette.ts'
import { useScope } from '../scope.ts'
import { bucketsOf } from './spark-buckets.ts'

/** CSS pixels: the drawing, and the strip of confidence at its foot. */
const WIDTH = 232
const HEIGHT = 28
const STRIP = 5
const COLUMN = 4

/** A generation at a glance: its speed as a line over its tokens, its confidence as a strip under it. */
export function Sparkline({ generation }: { generation: Generation }) {
  const { theme, tick } = useScope()
  const canvas = useRef<HTMLCanvasElement>(null)
  const shown = theme.shown.value
  // Four times a second while it grows: a long one is summed up anew each time.
  const revision = generation.revision.value
  const beat = generation.live ? tick.value : revision
  const { held } = generation.tokens

  useEffect(() => {
    const surface = canvas.current
    const ctx = surface?.getContext('2d')
    if (!surface || !ctx) return
    const ratio = window.devicePixelRatio || 1
    if (surface.width !== Math.round(WIDTH * ratio)) {
      surface.width = Math.round(WIDTH * ratio)
      surface.height = Math.round(HEIGHT * ratio)
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    ctx.clearRect(0, 0, WIDTH, HEIGHT)
    const palette = readPalette(surface)
    const buckets = bucketsOf(generation.tokens, Math.floor(WIDTH / COLUMN))
    if (buckets.length === 0) return
    const fastest = Math.max(...buckets.map(bucket => bucket.rate ?? 0))
    const room = HEIGHT - STRIP - 4
    buckets.forEach((bucket, i) => {
      const x = i * COLUMN
      if (Number.isNaN(bucket.confidence)) paintHatch(ctx, x, HEIGHT - STRIP, COLUMN, STRIP, palette.hatch)
      else {
        ctx.fillStyle = cividisCss(bucket.confidence)
        ctx.fillRect(x, HEIGHT - STRIP, COLUMN - 1, STRIP)
      }
    })
    ctx.beginPath()
    let drawing = false
    buckets.forEach((bucket, i) => {
      const known = bucket.rate !== null && fastest > 0
      const y = 2 + room * (1 - (bucket.rate ?? 0) / fastest)
      // A line over what was missed would lie.
      if (known && drawing) ctx.lineTo(i * COLUMN + COLUMN / 2, y)
      else if (known) ctx.moveTo(i * COLUMN + COLUMN / 2, y)
      drawing = known
    })
    ctx.strokeStyle = generation.live ? palette.live : palette.ink
    ctx.globalAlpha = generation.live ? 1 : 0.5
    ctx.lineWidth = 1.25
    ctx.lineJoin = 'round'
    ctx.stroke()
    ctx.globalAlpha = 1
  }, [beat, held > 1, shown, generation.live, generation])

  return (
    <span class="spark">
      {held < 2 ? null : (
        <canvas
          ref={canvas}
          width={WIDTH}
          height={HEIGHT}
          role="img"
          aria-label="speed as a line, confidence as a strip"
        />
      )}
    </span>
  )
}
