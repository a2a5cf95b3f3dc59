import type { PictureLayer } from '../view/picture-layer.ts'

/** After a loss a device is asked for this many times more, after these delays in milliseconds. */
const DELAYS_MS = [0, 1500]
/** A device that served for so long was no bad one: losing it is borne like the first loss. */
const SERVED_MS = 60_000

export interface GpuSupplyOptions {
  /** `navigator.gpu`, which old browsers and insecure pages lack. */
  gpu: GPU | undefined
  secure: boolean
  /** Whether a GPU that is a program will do: it is slower than Canvas 2D on the same processor. */
  software: boolean
  /** Makes what draws with the device; throws where that does not work. */
  prepare(device: GPUDevice): Promise<PictureLayer>
  /** Has this draw from now on, and ends what drew before; null: the device is gone or about to go. */
  drawWith(layer: PictureLayer | null): void
  /** There is none to be had, for this reason: the end of a sentence, without its full stop. */
  without(reason: string): void
  /** Notes what only a developer can mend. */
  report(error: Error): void
  now?(): number
}

/**
 * Keeps the map in a GPU device, for as long as one can be had.
 *
 *   asking ──device──► serving ──lost──► asking again, twice ──none──► without
 *      └──none──► without ◄──refused a command──┘
 */
export class GpuSupply {
  readonly #options: GpuSupplyOptions
  #device: GPUDevice | null = null
  /** Since when the device draws; null while it does not. */
  #servingSince: number | null = null
  #retries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  constructor(options: GpuSupplyOptions) {
    this.#options = options
  }

  /** Asks for the first device. */
  start(): void {
    void this.#ask(reason => this.#options.without(reason))
  }

  /** Gives the device back and asks for none any more. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#drop()
  }

  /** One attempt. An adapter gives one device only, so each begins with a new adapter. */
  async #ask(failed: (reason: string) => void): Promise<void> {
    let device: GPUDevice
    try {
      device = await this.#request()
    } catch (error) {
      if (!this.#stopped) failed((error as Error).message)
      return
    }
    if (this.#stopped) {
      device.destroy()
      return
    }
    this.#device = device
    device.addEventListener('uncapturederror', ({ error }) => this.#refused(device, error))
    void device.lost.then(({ message }) => this.#lost(device, message))
    try {
      const layer = await this.#options.prepare(device)
      // Shaders of a device that is lost compile all the same: what they would draw is blank.
      if (this.#device !== device) return layer.stop()
      this.#servingSince = this.#now
      this.#options.drawWith(layer)
    } catch (error) {
      if (this.#device !== device) return
      this.#drop()
      this.#options.report(error as Error)
      this.#options.without(`WebGPU does not work here (${(error as Error).message.split('\n', 1)[0]})`)
    }
  }

  async #request(): Promise<GPUDevice> {
    const { gpu, secure, software } = this.#options
    if (!gpu)
      throw new Error(
        secure
          ? 'this browser offers no WebGPU'
          : 'this page is not in a secure context (https or localhost)',
      )
    const adapter = await gpu.requestAdapter()
    if (adapter === null) throw new Error('this browser offers no GPU for WebGPU')
    // Browsers that do not describe their adapters yet offer none that is a program.
    if (adapter.info?.isFallbackAdapter && !software)
      throw new Error('this browser has only a software GPU; ?draw=webgpu uses it')
    try {
      return await adapter.requestDevice()
    } catch (cause) {
      throw new Error(`the GPU gives no device (${(cause as Error).message})`, { cause })
    }
  }

  #lost(device: GPUDevice, message: string): void {
    if (this.#device !== device) return
    if (this.#servingSince !== null && this.#now - this.#servingSince > SERVED_MS) this.#retries = 0
    this.#drop()
    this.#again(`the GPU device was lost${message === '' ? '' : `: ${message.replace(/\.$/, '')}`}`)
  }

  #again(reason: string): void {
    const delay = DELAYS_MS[this.#retries++]
    if (delay === undefined) this.#options.without(reason)
    else this.#timer = setTimeout(() => void this.#ask(() => this.#again(reason)), delay)
  }

  /** A command that the device does not take would leave the map blank, and not only once. */
  #refused(device: GPUDevice, error: GPUError): void {
    if (this.#device !== device) return
    this.#drop()
    this.#options.report(new Error(error.message))
    this.#options.without('the GPU refused a command')
  }

  #drop(): void {
    const device = this.#device
    if (device === null) return
    this.#device = null
    this.#servingSince = null
    this.#options.drawWith(null)
    device.destroy()
  }

  get #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}
