import { useEffect, useRef } from 'preact/hooks'
import type { ColorName } from '../../broadcast/protocol/view.ts'
import { CATEGORIES, KINDS, REST, scalePosition, tokenValue } from '../../compositor/draw/colour-scale.ts'
import { paintHatch } from '../../compositor/draw/hatch.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import { useScope } from '../scope.ts'
import { ColourChoice } from './colour-choice.tsx'
import { COLOUR_WORDS, type ColourWords, KIND_WORDS } from './legend-words.ts'
import { readPalette } from './palette.ts'
import { ScaleBar } from './scale-bar.tsx'

const SWATCH = 32

/**
 * What the map's colours stand for: the scale with its ends, or a swatch for each name; where the token under the
 * pointer stands on it; what a hatch means; and, from afar, what the strength of a colour means.
 */
export function MapLegend() {
  const { map, look } = useScope()
  const color = look.color.value
  const words = COLOUR_WORDS[color]
  const view = map.value
  return (
    <div class="legend" data-testid="legend">
      <ColourChoice />
      {color === 'kind' ? (
        <Swatches names={KINDS.map(kind => KIND_WORDS[kind])} color={color} />
      ) : color === 'model' ? (
        <Swatches names={view?.facts.models.value ?? []} color={color} />
      ) : (
        <Scale words={words} color={color} />
      )}
      {words.unknown === null ? null : <Unknown word={words.unknown} />}
      {view?.facts.far.value ? <Density /> : null}
    </div>
  )
}

function Scale({ words, color }: { words: ColourWords; color: ColorName }) {
  const { look } = useScope()
  const [from, to] = words.ends ?? ['', '']
  return (
    <span class="legend-scale">
      <span class="legend-end">{from}</span>
      <span class="legend-bar">
        <ScaleBar scale={look.scale.value} label={`from ${from}, dark, to ${to}, yellow`} />
        {words.ticks.map(at => (
          <span key={at} class="legend-tick" style={{ left: `${at * 100}%` }} />
        ))}
        <Needle color={color} />
      </span>
      <span class="legend-end">{to}</span>
    </span>
  )
}

/** Where the token under the pointer stands. By itself, since it moves with each move of the pointer. */
function Needle({ color }: { color: ColorName }) {
  const { playhead, store } = useScope()
  const value = useValueUnder(color)
  if (value === null) return null
  const at = scalePosition(color, value, playhead.at.value ?? store.now)
  return (
    <span
      class="legend-needle"
      data-testid="legend-needle"
      style={{ left: `${Math.max(0, Math.min(1, at)) * 100}%` }}
    />
  )
}

/** A swatch for each name, in the order of their colours; those beyond the colours there are share one. */
function Swatches({ names, color }: { names: readonly string[]; color: ColorName }) {
  const value = useValueUnder(color)
  const own = names.slice(0, CATEGORIES.length)
  return (
    <ul class="legend-names">
      {own.map((name, i) => (
        <li key={name} data-under={value === i}>
          <span class="legend-swatch" style={{ background: cssOfRgba(CATEGORIES[i] ?? REST) }} />
          <span class="legend-name" title={name}>
            {name}
          </span>
        </li>
      ))}
      {names.length > own.length ? (
        <li data-under={value !== null && value >= own.length}>
          <span class="legend-swatch" style={{ background: cssOfRgba(REST) }} />
          <span class="legend-name">{names.length - own.length} others</span>
        </li>
      ) : null}
    </ul>
  )
}

function Unknown({ word }: { word: string }) {
  const { theme } = useScope()
  const swatch = useRef<HTMLCanvasElement>(null)
  const shown = theme.shown.value
  useEffect(() => {
    const ctx = swatch.current?.getContext('2d')
    if (ctx) paintHatch(ctx, 0, 0, SWATCH, SWATCH, readPalette(ctx.canvas).hatch)
  }, [shown])
  return (
    <span class="legend-unknown" title={word}>
      <canvas ref={swatch} width={SWATCH} height={SWATCH} role="img" aria-label="hatched:" />
      <span>{word}</span>
    </span>
  )
}

/** How cells of many tokens are shown. */
function Density() {
  return (
    <span
      class="legend-density"
      title="A cell has the mean colour of its tokens. The more there are, the stronger it is."
    >
      <span class="legend-ramp" aria-hidden="true">
        <span />
        <span />
        <span />
        <span />
      </span>
      <span>few … many tokens</span>
    </span>
  )
}

/** The value of the token under the pointer; null where none is, or nobody knows it. */
function useValueUnder(color: ColorName): number | null {
  const { map } = useScope()
  const hover = map.value?.hover.value ?? null
  const value = hover === null ? null : tokenValue(hover.token, color)
  return value === null || Number.isNaN(value) ? null : value
}
