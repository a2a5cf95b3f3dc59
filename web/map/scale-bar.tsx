import { useEffect, useRef } from 'preact/hooks'
import { type ScaleName, scaleColour } from '../../compositor/draw/colour-scale.ts'
import { cssOfRgba } from '../../compositor/draw/rgba.ts'

const STEPS = 128

interface Props {
  scale: ScaleName
  /** Null where the words beside it say it all. */
  label: string | null
}

/** A colour scale from its beginning to its end, as wide and high as its place. */
export function ScaleBar({ scale, label }: Props) {
  const bar = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const ctx = bar.current?.getContext('2d')
    if (!ctx) return
    for (let i = 0; i < STEPS; i++) {
      ctx.fillStyle = cssOfRgba(scaleColour(i / (STEPS - 1), scale))
      ctx.fillRect(i, 0, 1, 1)
    }
  }, [scale])
  const said = label === null ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label }
  return <canvas class="scale-bar" ref={bar} width={STEPS} height={1} {...said} />
}
