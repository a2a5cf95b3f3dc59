import { useEffect, useRef, useState } from 'preact/hooks'
import { scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import type { PasReport } from '../../health/shm/report.ts'
import { formatCount } from '../format.ts'
import { useScope } from '../scope.ts'
import { cellAfter, cellAt, type DsmCell, dsmSums, planDsm, shadeOf, stepsTo } from './dsm.ts'
import { paintDsm } from './dsm-picture.ts'
import { counted, shownText } from './structure-words.ts'

/** UTF-16 units of a name that are shown. */
const MOST = 40

/** Which part imports which: the design structure matrix. A cell is told by the pointer, or by the arrows. */
export function DsmView({ report: { dsm, subsystems } }: { report: PasReport }) {
  const { below, above, most } = dsmSums(dsm)
  const [at, setAt] = useState<DsmCell | null>(null)
  const names = subsystems.map(({ name }) => shownText(name, MOST))
  // The tree may have fewer parts than it had.
  const cell = at !== null && at.row < dsm.length && at.column < dsm.length ? at : null
  return (
    <section class="instrument-table dsm" data-testid="dsm">
      <h3>
        Imports between parts
        <Steps most={most} />
      </h3>
      {dsm.length < 2 ? (
        <p class="note">
          {subsystems.length < 2 ? 'There are no two parts.' : 'There are too many parts for a matrix.'}
        </p>
      ) : (
        <>
          <output class="dsm-words" data-testid="dsm-words">
            {cell === null
              ? `rows import columns · ${formatCount(below)} below the diagonal, ${formatCount(above)} above`
              : cellWords(cell, dsm, names)}
          </output>
          <Matrix {...{ dsm, names, most, at: cell }} onLook={setAt} />
        </>
      )}
    </section>
  )
}

function cellWords({ row, column }: DsmCell, dsm: readonly (readonly number[])[], names: string[]): string {
  const there = dsm[row]?.[column] ?? 0
  if (row === column) return `${names[row]}: ${counted(there, 'import')} inside`
  const back = dsm[column]?.[row] ?? 0
  return `${names[row]} → ${names[column]}: ${counted(there, 'import')}, ${formatCount(back)} back`
}

/** What the colours stand for. */
function Steps({ most }: { most: number }) {
  const { scale } = useScope().look
  return (
    <span class="dsm-steps">
      {stepsTo(most).map(({ least, words }) => (
        <i
          key={least}
          title={`${words} imports`}
          style={{ background: cssOfRgba(scaleColour(shadeOf(least, most), scale.value)) }}
        />
      ))}
      <span class="note">{most > 0 ? `1 to ${formatCount(most)}` : 'none'}</span>
    </span>
  )
}

interface MatrixProps {
  dsm: readonly (readonly number[])[]
  names: string[]
  most: number
  at: DsmCell | null
  onLook(at: DsmCell | null): void
}

function Matrix({ dsm, names, most, at, onLook }: MatrixProps) {
  const { look, theme } = useScope()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const plan = planDsm(dsm.length, width)
  const [scale, shown] = [look.scale.value, theme.shown.value]

  useEffect(() => {
    const host = (canvas.current as HTMLCanvasElement).parentElement as HTMLElement
    const observer = new ResizeObserver(() => setWidth(host.clientWidth))
    observer.observe(host)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (width > 0) paintDsm(canvas.current as HTMLCanvasElement, width, { plan, dsm, names, most, scale, at })
  }, [width, dsm, at?.row, at?.column, scale, shown])

  const onPointer = ({ offsetX, offsetY }: PointerEvent) => onLook(cellAt(plan, offsetX, offsetY))
  return (
    <div>
      <canvas
        ref={canvas}
        data-testid="dsm-matrix"
        tabIndex={0}
        role="img"
        aria-label={`Matrix of the imports between ${dsm.length} parts. Arrows go from cell to cell.`}
        onPointerMove={onPointer}
        onPointerDown={onPointer}
        onPointerLeave={() => onLook(null)}
        onBlur={() => onLook(null)}
        onKeyDown={event => {
          const next = cellAfter(event.key, at ?? { row: 0, column: 0 }, dsm.length)
          if (next === null) return
          event.preventDefault()
          onLook(at === null ? { row: 0, column: 0 } : next)
        }}
      />
    </div>
  )
}
