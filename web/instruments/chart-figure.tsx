import { type Signal, useSignalEffect } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useScope } from '../scope.ts'
import { clockWords } from '../time/clock-words.ts'
import { laneOf } from '../time/lane.ts'
import { narrowTo } from '../time/time-filter.ts'
import { Chart, type ChartOptions } from './chart.ts'

/** What a chart shows now. */
export interface Reading {
  times: number[]
  lines: (number | null)[][]
}

interface Props {
  name: string
  testId: string
  /** Over what a value is taken, or since when. */
  window: string
  lines: ChartOptions['lines']
  /** Names of the lines, where there are several. */
  names?: readonly string[]
  /** The vertical axis is logarithmic. */
  log?: boolean
  axis(value: number): string
  /** A value with its unit. */
  format(value: number | null): string
  /** Read at each beat. */
  read(): Reading
  beat: Signal<number>
  /** Over what time, in seconds. */
  windowS: Signal<number>
  /** The time under the pointer, over any chart. */
  cursor: Signal<number | null>
  /** How far from the pointer a value still is the one meant, in seconds. */
  reachS: number
}

/** A chart with its name, its window and its value: the one under the pointer, else the last. */
export function ChartFigure(props: Props) {
  const {
    name,
    testId,
    window,
    lines,
    names,
    log = false,
    axis,
    format,
    read,
    beat,
    cursor,
    reachS,
    windowS,
  } = props
  const { store, line, look, theme, selection, playhead } = useScope()
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | null>(null)
  const reading = useRef<Reading>({ times: [], lines: [] })

  const chosenSpan = () => {
    const generation = selection.current.peek()?.generation
    if (generation === undefined) return null
    const { began, ended } = laneOf(generation, line.timesOf(generation), store.now)
    return { from: began, to: ended ?? store.now }
  }

  useEffect(() => {
    const made = new Chart(host.current as HTMLElement, {
      lines,
      log,
      axis,
      onCursor: at => {
        cursor.value = at
      },
      onSpan: span => narrowTo(look, span && { since: span.from, until: span.to }),
      marks: () => {
        const { since, until } = look.filter.peek() ?? {}
        return {
          chosen: chosenSpan(),
          narrowed:
            since === undefined && until === undefined
              ? null
              : { from: since ?? store.now - windowS.peek(), to: until ?? store.now },
          at: playhead.at.peek(),
        }
      },
    })
    chart.current = made
    return () => {
      chart.current = null
      made.dispose()
    }
  }, [])

  useSignalEffect(() => {
    beat.value
    reading.current = read()
    const { times, lines: values } = reading.current
    chart.current?.show([times, ...values], store.now, windowS.value)
  })
  useSignalEffect(() => {
    look.filter.value
    selection.current.value
    playhead.at.value
    chart.current?.redraw()
  })
  useEffect(() => chart.current?.restyle(), [theme.shown.value])

  return (
    <figure class="chart" data-testid={testId}>
      <figcaption>
        <span class="chart-name">{name}</span>
        <ChartValue {...{ reading, beat, cursor, reachS, format, window }} names={names ?? []} />
      </figcaption>
      <div ref={host} class="chart-host" />
    </figure>
  )
}

interface ValueProps extends Pick<Props, 'window' | 'format' | 'beat' | 'cursor' | 'reachS'> {
  reading: RefObject<Reading>
  names: readonly string[]
}

/** The value under the pointer and when it was, else the last one and what it is taken over. */
function ChartValue({ reading, names, window, format, beat, cursor, reachS }: ValueProps) {
  const { store } = useScope()
  beat.value // read: there may be a newer one
  const at = cursor.value
  const { times, lines } = reading.current as Reading
  const place = at === null ? times.length - 1 : nearest(times, at)
  const near = at === null || Math.abs((times[place] ?? Number.NaN) - at) <= reachS
  return (
    <span class="chart-values">
      {lines.map((values, i) => (
        <span key={names[i] ?? i} class="chart-value" data-line={i}>
          {names[i] === undefined ? null : <span class="chart-line-name">{names[i]}</span>}
          {format(near ? (values[place] ?? null) : null)}
        </span>
      ))}
      <span class="chart-window">{at === null ? window : clockWords(at, store.now)}</span>
    </span>
  )
}

/** The place of the time that is nearest. */
function nearest(times: readonly number[], at: number): number {
  let best = 0
  times.forEach((time, i) => {
    if (Math.abs(time - at) < Math.abs((times[best] as number) - at)) best = i
  })
  return best
}
