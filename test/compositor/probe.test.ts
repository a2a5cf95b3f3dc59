import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { backendFor } from '../../compositor/adapter.ts'
import { findBackend } from '../../compositor/probe.ts'
import { TokenscopeError } from '../../events/errors.ts'
import { gpuAnswer, noGpu } from '../support/gpu.ts'

const STAND_IN = join(import.meta.dirname, '../support/stand-in-process.ts')

afterEach(() => {
  vi.unstubAllEnvs()
})

function find(gpu: 'auto' | 'webgpu' | 'cpu', standIn?: string, answerMs?: number) {
  const said: string[] = []
  vi.stubEnv('STAND_IN', standIn)
  const backend = findBackend({
    gpu,
    say: (level, text) => said.push(`${level}: ${text}`),
    ...(standIn === undefined ? {} : { entry: STAND_IN }),
    ...(answerMs === undefined ? {} : { answerMs }),
  })
  return { backend, said }
}

describe.skipIf(noGpu)(`with an adapter ${noGpu ?? ''}`, () => {
  it('auto and webgpu are what it leads to', async () => {
    expect(await find('auto').backend).toEqual(backendFor('auto', gpuAnswer))
    expect(await find('webgpu').backend).toEqual(backendFor('webgpu', gpuAnswer))
    expect((await find('webgpu').backend).name).toBe('webgpu')
  })
})

// Elsewhere the system's own adapter does not go away for a variable.
describe.skipIf(process.platform !== 'linux')('without an adapter, made so on Linux', () => {
  it('auto is the CPU, webgpu an error; what Dawn prints is told as debug', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere')
    vi.stubEnv('VK_ICD_FILENAMES', '/nowhere')
    const { backend, said } = find('auto')
    expect((await backend).detail).toBe('CPU: no GPU adapter on this machine')
    expect(said.every(line => line.startsWith('debug: compositor process: '))).toBe(true)
    await expect(find('webgpu').backend).rejects.toMatchObject({ code: 'GPU_UNAVAILABLE', param: '--gpu' })
  })
})

describe('with a process that asks', () => {
  it('a hardware adapter is used; what its driver prints is told as debug', async () => {
    const { backend, said } = find('auto', 'hardware')
    expect(await backend).toEqual({
      name: 'webgpu',
      adapter: 'NVIDIA GeForce RTX 4060',
      reason: 'a hardware adapter',
      detail: 'NVIDIA GeForce RTX 4060 (webgpu)',
    })
    expect(said.sort()).toEqual([
      'debug: compositor process: Warning: said on stderr',
      'debug: compositor process: Warning: said on stdout',
    ])
  })

  it('a library that does not load is the reason', async () => {
    expect((await find('auto', 'unloadable').backend).detail).toBe(
      'CPU: WebGPU does not load on this system (no libc)',
    )
  })

  it('its crash, or its silence, is the reason', async () => {
    expect((await find('auto', 'crash').backend).detail).toBe(
      'CPU: the process that asked for a GPU ended with code 3',
    )
    expect((await find('auto', 'silent', 500).backend).detail).toBe(
      'CPU: the process that asked for a GPU did not answer for 0.5 s',
    )
    await expect(find('webgpu', 'crash').backend).rejects.toThrow(TokenscopeError)
  })

  it('none is started where the CPU is asked for', async () => {
    const { backend, said } = find('cpu', 'hardware')
    expect((await backend).detail).toBe('CPU, as --gpu cpu asks')
    expect(said).toEqual([])
  })
})

describe('openGpu', () => {
  it('gives a reason where the library does not load', async () => {
    const hooks = registerHooks({
      resolve(specifier, context, next) {
        if (specifier === 'webgpu') throw new Error('no binary here\n  at somewhere')
        return next(specifier, context)
      },
    })
    try {
      // A module of its own: the one that other tests use has its GPU by now.
      const fresh: string = '../../compositor/gpu.ts?without-webgpu'
      const { openGpu }: typeof import('../../compositor/gpu.ts') = await import(fresh)
      await expect(openGpu()).rejects.toMatchObject({
        code: 'GPU_UNAVAILABLE',
        message: 'WebGPU does not load on this system (no binary here)',
      })
    } finally {
      hooks.deregister()
    }
  })
})
