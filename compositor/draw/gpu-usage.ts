/**
 * Flags for buffers and shader stages. Browsers have them as globals, Node has not: these are the values that
 * the WebGPU specification gives them (GPUBufferUsage, GPUShaderStage).
 */
export const GpuUsage = {
  copyDst: 0x08,
  vertex: 0x20,
  uniform: 0x40,
  storage: 0x80,
} as const

export const GpuStage = {
  vertex: 0x1,
  fragment: 0x2,
} as const
