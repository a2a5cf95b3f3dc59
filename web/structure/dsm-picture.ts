import { type ScaleName, scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'
import { type DsmCell, type DsmPlan, shadeOf } from './dsm.ts'

/** What a picture of a matrix is made of. */
export interface DsmPicture {
  plan: DsmPlan
  dsm: readonly (readonly number[])[]
  /** As they are shown. */
  names: readonly string[]
  /** The most imports from one part to another. */
  most: number
  scale: ScaleName
  /** The cell that is looked at. */
  at: DsmCell | null
}

/** Cells of fewer CSS pixels have no lines between them. */
const LEAST_LINED_PX = 6
const NAME_GAP_PX = 8
const NUMBER_PX = 18

/** Draws a matrix on a canvas, as sharp as the screen is. Its width is that of the canvas' place. */
export function paintDsm(canvas: HTMLCanvasElement, width: number, picture: DsmPicture): void {
  const { plan, dsm, at, most, scale } = picture
  const { cell, left, top, parts } = plan
  const ratio = window.devicePixelRatio || 1
  const height = top + Math.ceil(parts * cell)
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  canvas.style.height = `${height}px`
  const ctx = canvas.getContext('2d')
  if (ctx === null) return
  const style = getComputedStyle(canvas)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  const x = (column: number) => Math.round((left + column * cell) * ratio)
  const y = (row: number) => Math.round((top + row * cell) * ratio)
  const line = cell < LEAST_LINED_PX ? 0 : Math.max(1, Math.round(ratio))
  const fill = (row: number, column: number, colour: string) => {
    ctx.fillStyle = colour
    const across = Math.max(1, x(column + 1) - x(column) - line)
    ctx.fillRect(x(column), y(row), across, Math.max(1, y(row + 1) - y(row) - line))
  }

  ctx.fillStyle = of(line === 0 ? 'raised' : 'line')
  ctx.fillRect(x(0) - line, y(0) - line, x(parts) - x(0) + line, y(parts) - y(0) + line)
  const shades = new Map<number, string>()
  const shadeFor = (count: number) => {
    const place = shadeOf(count, most)
    const known = shades.get(place) ?? cssOfRgba(scaleColour(place, scale))
    shades.set(place, known)
    return known
  }
  const [empty, looked] = [of('panel'), of('hover')]
  dsm.forEach((counts, row) => {
    counts.forEach((count, column) => {
      if (count > 0 && row !== column) fill(row, column, shadeFor(count))
      else if (at !== null && (at.row === row || at.column === column)) fill(row, column, looked)
      else if (line > 0) fill(row, column, empty)
    })
  })
  ctx.lineWidth = ratio
  ctx.strokeStyle = of('line-strong')
  ctx.beginPath()
  ctx.moveTo(x(0), y(0))
  ctx.lineTo(x(parts), y(parts))
  ctx.stroke()
  if (at !== null) {
    ctx.strokeStyle = of('ink')
    ctx.lineWidth = 2 * ratio
    const side = Math.max(cell, 4) * ratio
    ctx.strokeRect(x(at.column) - ratio, y(at.row) - ratio, side + ratio, side + ratio)
  }
  if (plan.isNamed) paintNames(ctx, picture, ratio, of)
}

/** Names at the rows, numbers at both sides. */
function paintNames(
  ctx: CanvasRenderingContext2D,
  { plan, names, at }: DsmPicture,
  ratio: number,
  of: (name: string) => string,
): void {
  const { cell, left, top, isNumbered } = plan
  const [ink, soft] = [of('ink'), of('soft')]
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.textBaseline = 'middle'
  const end = left - NAME_GAP_PX - (isNumbered ? NUMBER_PX : 0)
  names.forEach((name, i) => {
    const middle = cell * (i + 0.5)
    ctx.font = `${Math.min(11, cell)}px ${of('sans')}`
    ctx.textAlign = 'right'
    ctx.fillStyle = at?.row === i ? ink : soft
    ctx.fillText(fitting(ctx, name, end), end, top + middle)
    if (!isNumbered) return
    ctx.font = `10px ${of('mono')}`
    ctx.fillText(String(i + 1), left - NAME_GAP_PX, top + middle)
    ctx.textAlign = 'center'
    ctx.fillStyle = at?.column === i ? ink : soft
    ctx.fillText(String(i + 1), left + middle, top / 2)
  })
}

/** As much of a name as there is room for. */
function fitting(ctx: CanvasRenderingContext2D, name: string, width: number): string {
  if (ctx.measureText(name).width <= width) return name
  const characters = [...name]
  while (characters.length > 1 && ctx.measureText(`${characters.join('')}…`).width > width) characters.pop()
  return `${characters.join('')}…`
}
