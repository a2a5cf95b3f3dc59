import { useEffect, useRef } from 'preact/hooks'
import { CIVIDIS_SIZE, cividisCss } from '../../compositor/draw/cividis.ts'
import { paintHatch } from '../../compositor/draw/hatch.ts'
import { formatPercent } from '../format.ts'
import { useScope } from '../scope.ts'
import { readPalette } from './palette.ts'

const BAR_HEIGHT = 16
const SWATCH = 32

/** The colour legend: the scale, where the token under the pointer stands on it, and what a hatch means. */
export function MapLegend() {
  const { map, theme } = useScope()
  const bar = useRef<HTMLCanvasElement>(null)
  const swatch = useRef<HTMLCanvasElement>(null)
  const shown = theme.shown.value

  useEffect(() => {
    const ctx = bar.current?.getContext('2d')
    if (!ctx) return
    for (let i = 0; i < CIVIDIS_SIZE; i++) {
      ctx.fillStyle = cividisCss(i / (CIVIDIS_SIZE - 1))
      ctx.fillRect(i, 0, 1, BAR_HEIGHT)
    }
  }, [])

  useEffect(() => {
    const ctx = swatch.current?.getContext('2d')
    if (ctx) paintHatch(ctx, 0, 0, SWATCH, SWATCH, readPalette(ctx.canvas).hatch)
  }, [shown])

  const hover = map.value?.hover.value
  const confidence = hover ? hover.generation.tokens.confidence(hover.index) : Number.NaN
  return (
    <div class="legend" data-testid="legend">
      <span class="legend-title">confidence</span>
      <span class="legend-scale">
        <span class="legend-end">0 %</span>
        <span class="legend-bar">
          <canvas
            ref={bar}
            width={CIVIDIS_SIZE}
            height={BAR_HEIGHT}
            role="img"
            aria-label="dark blue is 0 percent, yellow 100 percent"
          />
          {Number.isNaN(confidence) ? null : (
            <span
              class="legend-needle"
              style={{ left: `${confidence * 100}%` }}
              title={formatPercent(confidence)}
            />
          )}
        </span>
        <span class="legend-end">100 %</span>
      </span>
      <span class="legend-unknown">
        <canvas ref={swatch} width={SWATCH} height={SWATCH} role="img" aria-label="hatched" />
        not given
      </span>
    </div>
  )
}
