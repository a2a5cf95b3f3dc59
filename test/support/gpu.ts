import { existsSync } from 'node:fs'
import { afterEach, expect } from 'vitest'
import { type AdapterAnswer, adapterOf } from '../../compositor/adapter.ts'
import { WebgpuEngine, type WebgpuEngineOptions } from '../../compositor/engine-webgpu.ts'
import { openDevice, requestAdapter } from '../../compositor/gpu.ts'

/** Chromium brings a GPU that is a program, with which shaders run on any machine, all in the same way. */
const SOFTWARE_GPU = ['/usr/lib/chromium', '/usr/lib64/chromium', '/usr/lib/chromium-browser']
  .map(folder => `${folder}/vk_swiftshader_icd.json`)
  .find(existsSync)

// For this process and those that it starts; which of the two is read depends on the loader's age.
if (SOFTWARE_GPU !== undefined) {
  process.env.VK_DRIVER_FILES = SOFTWARE_GPU
  process.env.VK_ICD_FILENAMES = SOFTWARE_GPU
}

/** What there is: as a rule that software, on a machine with a GPU and without Chromium the GPU. */
export const gpuAnswer: AdapterAnswer = await requestAdapter().then(
  adapter => ({ adapter: adapter && adapterOf(adapter.info), failure: null }),
  (error: Error) => ({ adapter: null, failure: error.message }),
)

/** Why tests of shaders cannot run here, or null if they can. */
export const noGpu =
  gpuAnswer.adapter === null
    ? (gpuAnswer.failure ?? 'no GPU adapter on this machine (apt-get install chromium libvulkan1)')
    : null

/** Devices of a test file. Each is gone after the test that opened it. */
export interface TestGpu {
  /** Opens a device. */
  device(): Promise<GPUDevice>
  /** Makes an engine on a device of its own. */
  engine(options?: Partial<WebgpuEngineOptions>): Promise<WebgpuEngine>
  /** What went wrong on them that nobody caught, once all that was submitted is done; it is forgotten. */
  faults(): Promise<string[]>
}

/** Gives the tests of this file devices; a test in which one of them has an error that nobody caught fails. */
export function useGpu(): TestGpu {
  const said: string[] = []
  const open: { device: GPUDevice; close: () => void | Promise<void> }[] = []

  async function watched() {
    const opened = await openDevice()
    opened.device.addEventListener('uncapturederror', event => said.push(event.error.message.trim()))
    return opened
  }

  async function faults(): Promise<string[]> {
    for (const { device } of open) await device.queue.onSubmittedWorkDone().catch(() => {})
    return said.splice(0)
  }

  afterEach(async () => {
    const left = await faults()
    for (const { close } of open.splice(0)) await close()
    expect(left, 'errors of the GPU that nobody caught').toEqual([])
  })

  return {
    async device() {
      const { device } = await watched()
      open.push({ device, close: () => device.destroy() })
      return device
    },
    async engine(options = {}) {
      const opened = await watched()
      open.push({ device: opened.device, close: () => opened.device.destroy() })
      const engine = await WebgpuEngine.create({
        ...opened,
        dump: null,
        onFault() {},
        ...options,
      })
      open.push({ device: opened.device, close: () => engine.stop() })
      return engine
    },
    faults,
  }
}
