/**
 * Flags for buffers and shader stages. Browsers have them as globals, Node has not: these are the values that
 * the WebGPU specification gives them (GPUBufferUsage, GPUTextureUsage, GPUMapMode,
 * GPUShaderStage).
 */
export const GpuUsage = {
  mapRead: 0x01,
  copyDst: 0x08,
  vertex: 0x20,
  uniform: 0x40,
  storage: 0x80,
} as const

export const GpuStage = {
  vertex: 0x1,
  fragment: 0x2,
} as const

export const TextureUsage = {
  copySrc: 0x01,
  copyDst: 0x02,
  binding: 0x04,
  attachment: 0x10,
} as const

export const MapMode = { read: 0x1 } as const
