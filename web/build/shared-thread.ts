import { dirname, resolve } from 'node:path'
import type { Plugin } from 'vite'

const THREAD = /new URL\('(\.{1,2}\/[^']+\.ts)', import\.meta\.url\)/g

/**
 * Makes threads of the page parts of its build: what thread and page have in common is a file that both load, where
 * Vite by itself builds each thread as a program of its own, with a second copy of it.
 */
export function sharedThread(): Plugin {
  return {
    name: 'shared-thread',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (id.includes('node_modules') || !code.includes('new Worker(')) return null
      return code.replace(THREAD, (_all, path: string) => {
        const thread = this.emitFile({ type: 'chunk', id: resolve(dirname(id), path) })
        return `import.meta.ROLLUP_FILE_URL_${thread}`
      })
    },
  }
}
