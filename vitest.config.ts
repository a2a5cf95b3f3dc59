import { defineConfig } from 'vitest/config'

/**
 * Tests that calculate: no server, no window, no GPU, and whatever they change of their process they put back. A third
 * of their time went into a process for each file, which loads anew what the last one had.
 */
const CALCULATING = [
  'test/{config,events}/*.test.ts',
  'test/broadcast/{client,protocol}/*.test.ts',
  'test/bridge/{dialects,limits}/*.test.ts',
  'test/compositor/{draw,layout}/*.test.ts',
  'test/health/{*,shm/*,shm/{extract,graph,resolve,say,scan,score}/*}.test.ts',
  'test/web/**/!(*.browser).test.ts',
]
const ALL = 'test/**/*.test.ts'

export default defineConfig(({ mode }) => ({
  test: {
    globalSetup: './test/house/setup.ts',
    pool: 'forks',
    projects: [
      // One process a file: real sockets, native modules and fake timers of one file never reach another.
      { test: { name: 'apart', include: [ALL], exclude: CALCULATING } },
      { test: { name: 'together', include: CALCULATING, isolate: false } },
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
