/** A buffer for what one call needs, large enough for the largest so far. */
export class ScratchBuffer {
  readonly #device: GPUDevice
  readonly #usage: GPUBufferUsageFlags
  #buffer: GPUBuffer | null = null

  constructor(device: GPUDevice, usage: GPUBufferUsageFlags) {
    this.#device = device
    this.#usage = usage
  }

  /** It, with room for as many words; what was in it may be gone. */
  sized(words: number): GPUBuffer {
    if (this.#buffer !== null && this.#buffer.size >= words * 4) return this.#buffer
    this.#buffer?.destroy()
    // At least 16 bytes: an empty buffer cannot be bound.
    const size = 4 * Math.max(4, 2 ** Math.ceil(Math.log2(words)))
    this.#buffer = this.#device.createBuffer({ size, usage: this.#usage })
    return this.#buffer
  }

  /** It, filled with `words`. */
  filled(words: Uint32Array): GPUBuffer {
    const buffer = this.sized(words.length)
    this.#device.queue.writeBuffer(buffer, 0, words)
    return buffer
  }

  destroy(): void {
    this.#buffer?.destroy()
  }
}
