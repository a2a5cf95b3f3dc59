import { effect, type Signal, signal } from '@preact/signals'
import { readSetting, writeSetting } from '../settings.ts'

/** What the instruments measure: what models say, or how a source tree is built. */
export type InstrumentPart = 'tokens' | 'structure'

export const PARTS: readonly InstrumentPart[] = ['tokens', 'structure']

/** The part that is shown; this browser remembers it. */
export function rememberedPart(): Signal<InstrumentPart> {
  const kept = readSetting('instruments') as InstrumentPart | null
  const part = signal(kept !== null && PARTS.includes(kept) ? kept : 'tokens')
  effect(() => writeSetting('instruments', part.value))
  return part
}
