import { defineConfig } from 'vitest/config'
import { filesTogether } from './test/house/together.ts'

const together = filesTogether()

export default defineConfig(({ mode }) => ({
  test: {
    globalSetup: './test/house/setup.ts',
    pool: 'forks',
    projects: [
      // Real sockets, native modules and fake timers of one file never reach another.
      { test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: together } },
      { test: { name: 'together', include: together, isolate: false } },
    ],
    // One more than the cores of a small machine: tests wait for sockets, disks and other processes, too.
    maxWorkers: 3,
    // Modules run as Node runs them, as in the programs themselves: Vite's own runner takes half as much processor
    // time again. What it alone has, `vi.mock` and `import.meta.env`, is not to be had.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // `pnpm test:long` runs soaks and fault rounds at full size (test/support/rounds.ts).
    env: { ROUNDS: mode === 'long' ? 'full' : 'few' },
    testTimeout: mode === 'long' ? 1_200_000 : 120_000,
    hookTimeout: 120_000,
    // What is waited for may be long in coming on a slow machine; no test is about how long.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './test/house/counts-reporter.ts'],
  },
}))
