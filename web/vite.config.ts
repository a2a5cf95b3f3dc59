import { defineConfig } from 'vite'
import { jsxImport } from './build/jsx-import.ts'
import { shaderText } from './build/shader-text.ts'
import { sharedThread } from './build/shared-thread.ts'

/** What the page and its drawing thread, or the page and its instruments, have in common for drawing: one file for all. */
const DRAWING =
  /\/web\/view\/(mark-list|canvas-pictures|canvas-marks)|\/compositor\/draw\/(rgba|colour-scale|scale-table|cividis|viridis)/

/** The page's build: into `dist/web`, every asset a file of its own, as its content policy wants it. */
export default defineConfig({
  base: '/',
  plugins: [jsxImport(), shaderText(), sharedThread()],
  oxc: { jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment', development: false } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'drawing', test: DRAWING }] } } },
  },
})
