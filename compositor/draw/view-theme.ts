import { type Rgba, rgbaOf } from './rgba.ts'

/** The colours of a view's picture that are not data. */
export interface ViewTheme {
  dark: boolean
  ground: Rgba
  /** What `flow` writes on. */
  panel: Rgba
  /** Hairlines. */
  line: Rgba
  ink: Rgba
  /** Words of legend and axis. */
  soft: Rgba
  /** Signs for what one would not see. */
  faint: Rgba
  hatchGround: Rgba
  hatchLine: Rgba
}

const DARK: ViewTheme = {
  dark: true,
  ground: rgbaOf('#0a0e14'),
  panel: rgbaOf('#0d131b'),
  line: rgbaOf('#1d2631'),
  ink: rgbaOf('#dde4ec'),
  soft: rgbaOf('#94a1b1'),
  faint: rgbaOf('#4d5a69'),
  hatchGround: rgbaOf('#141b24'),
  hatchLine: rgbaOf('#5b6979'),
}

const LIGHT: ViewTheme = {
  dark: false,
  ground: rgbaOf('#f7f5f0'),
  panel: rgbaOf('#fdfcf9'),
  line: rgbaOf('#e2ddd1'),
  ink: rgbaOf('#1d232b'),
  soft: rgbaOf('#5a626d'),
  faint: rgbaOf('#b0a999'),
  hatchGround: rgbaOf('#edeae2'),
  hatchLine: rgbaOf('#a9a292'),
}

/** The theme of this name, as web/styles/theme.css has it for the page. */
export function viewTheme(name: 'dark' | 'light'): ViewTheme {
  return name === 'dark' ? DARK : LIGHT
}
