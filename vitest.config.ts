import { defineConfig } from 'vitest/config'

export default defineConfig(({ mode }) => ({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/house/page-setup.ts',
    // One process a file: real sockets, native modules and fake timers of one file never reach another.
    pool: 'forks',
    // One more than the cores of a small machine: tests wait for sockets, disks and other processes, too.
    maxWorkers: 3,
    // `pnpm test:long` runs soaks and fault rounds at full size (test/support/rounds.ts).
    testTimeout: mode === 'long' ? 1_200_000 : 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/house/counts-reporter.ts'],
  },
}))
