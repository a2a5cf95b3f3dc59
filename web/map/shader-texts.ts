import hilbert from '../../shaders/hilbert.wgsl?raw'
import mapCells from '../../shaders/map-cells.wgsl?raw'
import mapFrame from '../../shaders/map-frame.wgsl?raw'
import mapGlow from '../../shaders/map-glow.wgsl?raw'
import mapGround from '../../shaders/map-ground.wgsl?raw'

/** The shaders that the page draws with: the files of the server, word for word. */
const TEXTS: Readonly<Record<string, string>> = {
  'hilbert.wgsl': hilbert,
  'map-cells.wgsl': mapCells,
  'map-frame.wgsl': mapFrame,
  'map-glow.wgsl': mapGlow,
  'map-ground.wgsl': mapGround,
}

/** The text of a shader. */
export function readShader(name: string): string {
  const text = TEXTS[name]
  if (text === undefined) throw new Error(`the page has no shader ${name}`)
  return text
}
