import { type Signal, signal } from '@preact/signals'
import {
  COLORS,
  type ColorName,
  LAYOUTS,
  type LayoutName,
  type ViewFilter,
} from '../../broadcast/protocol/view.ts'
import type { ScaleName } from '../../compositor/draw/colour-scale.ts'
import { readSetting, writeSetting } from '../settings.ts'

export const SCALES: readonly ScaleName[] = ['cividis', 'viridis']
const SHOWN = ['shown', 'hidden'] as const

/** How the map is looked at: what a person chooses, remembered by this browser but for the filter. */
export class MapLook {
  readonly layout: Signal<LayoutName>
  readonly color: Signal<ColorName>
  readonly scale: Signal<ScaleName>
  /** What narrows it; null: everything is shown. */
  readonly filter: Signal<ViewFilter | null> = signal(null)
  /** Whether a small picture of all there is lies in a corner. */
  readonly minimap: Signal<(typeof SHOWN)[number]>

  constructor() {
    this.layout = remembered('layout', LAYOUTS, 'map')
    this.color = remembered('color', COLORS, 'confidence')
    this.scale = remembered('scale', SCALES, 'cividis')
    this.minimap = remembered('minimap', SHOWN, 'shown')
  }

  /** Shows the minimap, or hides it. */
  toggleMinimap(): void {
    this.minimap.value = this.minimap.value === 'shown' ? 'hidden' : 'shown'
  }
}

function remembered<T extends string>(name: string, known: readonly T[], otherwise: T): Signal<T> {
  const saved = known.find(value => value === readSetting(name))
  const chosen = signal(saved ?? otherwise)
  chosen.subscribe(value => {
    if (value !== (readSetting(name) ?? otherwise)) writeSetting(name, value)
  })
  return chosen
}
