/** One is copied into, one is on its way, one is copied out of. */
const DEPTH = 3
const SLOT_BYTES = 2 << 20

/** A part of a buffer that is to come back. */
export interface Readback {
  readonly source: GPUBuffer
  /** In words. */
  readonly from: number
  readonly words: number
  /** Receives them, from `at` on. */
  readonly target: Uint32Array
  readonly at: number
}

/** What goes into a buffer of the ring together. */
interface Load {
  words: number
  readonly parts: Readback[]
}

/**
 * Brings results back, in buffers that are created once: one that is mapped or about to be may not be used by a
 * submit, so there are several, in turn. What is longer than one comes in parts.
 */
export class ReadbackRing {
  readonly #device: GPUDevice
  readonly #slots: GPUBuffer[]
  readonly #slotWords: number

  /** @param slotBytes size of each of its buffers */
  constructor(device: GPUDevice, slotBytes = SLOT_BYTES) {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
    this.#device = device
    this.#slotWords = slotBytes / 4
    this.#slots = Array.from({ length: DEPTH }, () => device.createBuffer({ size: slotBytes, usage }))
  }

  /**
   * Submits what `encoder` has recorded, and copies of results after it. One call at a time.
   *
   * @returns resolves when all is in its target; rejects if the device is lost
   */
  async submit(encoder: GPUCommandEncoder, results: readonly Readback[]): Promise<void> {
    const loads = this.#loadsOf(results)
    const mapped: Promise<undefined>[] = []
    const send = (recorder: GPUCommandEncoder, until: number) => {
      const first = mapped.length
      for (let i = first; i < until; i++) this.#record(recorder, loads[i] as Load, this.#slotOf(i))
      this.#device.queue.submit([recorder.finish()])
      for (let i = first; i < until; i++) {
        const map = this.#slotOf(i).mapAsync(GPUMapMode.READ, 0, (loads[i] as Load).words * 4)
        // It is awaited later, if those before it do not reject.
        map.catch(() => {})
        mapped.push(map)
      }
    }
    send(encoder, Math.min(DEPTH, loads.length))
    for (const [i, load] of loads.entries()) {
      await mapped[i]
      this.#copyOut(load, this.#slotOf(i))
      if (mapped.length < loads.length) send(this.#device.createCommandEncoder(), mapped.length + 1)
    }
  }

  destroy(): void {
    for (const slot of this.#slots) slot.destroy()
  }

  #slotOf(load: number): GPUBuffer {
    return this.#slots[load % DEPTH] as GPUBuffer
  }

  #loadsOf(results: readonly Readback[]): Load[] {
    const loads: Load[] = []
    let load: Load = { words: 0, parts: [] }
    for (const { source, from, words, target, at } of results) {
      for (let taken = 0; taken < words; ) {
        if (load.words === 0) loads.push(load)
        const part = Math.min(words - taken, this.#slotWords - load.words)
        load.parts.push({ source, from: from + taken, words: part, target, at: at + taken })
        load.words += part
        taken += part
        if (load.words === this.#slotWords) load = { words: 0, parts: [] }
      }
    }
    return loads
  }

  #record(encoder: GPUCommandEncoder, { parts }: Load, slot: GPUBuffer): void {
    let offset = 0
    for (const { source, from, words } of parts) {
      encoder.copyBufferToBuffer(source, from * 4, slot, offset * 4, words * 4)
      offset += words
    }
  }

  #copyOut({ words, parts }: Load, slot: GPUBuffer): void {
    // Copied before it is unmapped: the mapped range is gone then.
    const range = new Uint32Array(slot.getMappedRange(0, words * 4))
    let offset = 0
    for (const part of parts) {
      part.target.set(range.subarray(offset, offset + part.words), part.at)
      offset += part.words
    }
    slot.unmap()
  }
}
