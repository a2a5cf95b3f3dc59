import { effect, type Signal, signal } from '@preact/signals'
import { readSetting, writeSetting } from './settings.ts'

export type ThemeChoice = 'system' | 'light' | 'dark'

const CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark']

/** The theme: the system's own until the person chooses one. */
export class Theme {
  readonly choice: Signal<ThemeChoice>
  /** What is shown now; bumped by the system's change as well. */
  readonly shown: Signal<'light' | 'dark'>

  constructor() {
    const kept = readSetting('theme') as ThemeChoice | null
    const system = matchMedia('(prefers-color-scheme: light)')
    this.choice = signal(kept !== null && CHOICES.includes(kept) ? kept : 'system')
    this.shown = signal(system.matches ? 'light' : 'dark')
    const show = () => {
      const choice = this.choice.value
      const shown = choice === 'system' ? (system.matches ? 'light' : 'dark') : choice
      document.documentElement.dataset.theme = shown
      this.shown.value = shown
    }
    effect(show)
    system.addEventListener('change', show)
  }

  /** Goes to the other theme; back to the system's own where that is the same. */
  toggle(): void {
    const next = this.shown.value === 'dark' ? 'light' : 'dark'
    const system = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
    this.choice.value = next === system ? 'system' : next
    writeSetting('theme', this.choice.value)
  }
}
