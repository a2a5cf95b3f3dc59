/** Answers of `GET /scope/v1/shm` for pages, where no server scores a tree. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { Assessor } from '../../health/shm/assess.ts'
import type { PasReport } from '../../health/shm/report.ts'
import type { TreeStanding } from '../../health/shm/tree-standing.ts'

/** Three parts; `core` and `api` import each other, file by file. */
export const TANGLED: Readonly<Record<string, string>> = {
  'api/route.ts': "import { table } from '../core/table.ts'\n\nexport const route = table\n",
  'api/reply.ts': "import { route } from './route.ts'\nexport const reply = route\n",
  'core/table.ts':
    "// Why not\nimport { reply } from '../api/reply.ts'\nexport const table: unknown = () => reply\n",
  'core/row.ts': "import { table } from './table.ts'\nexport const row = table\n",
  'tools/print.ts': "import { row } from '../core/row.ts'\nimport './gone.ts'\nexport const print = row\n",
}

/** A folder of its own with these files; to be removed by `using`. */
export class SmallTree {
  readonly root: string

  constructor(files: Readonly<Record<string, string>> = TANGLED) {
    this.root = mkdtempSync(join(tmpdir(), 'tokenscope-tree-'))
    for (const [path, text] of Object.entries(files)) this.write(path, text)
  }

  write(path: string, text: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** The report on it as it is now. */
  async report(): Promise<PasReport> {
    const assessor = new Assessor(this.root, { threads: 1 })
    try {
      return await assessor.assess()
    } finally {
      await assessor.stop()
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Answers a page's questions about the structure, and counts them; what is answered can be changed. */
export class StructureAnswers {
  asked = 0
  scans = 0
  report: PasReport | null
  standing: TreeStanding
  /** Gone: nobody answers. */
  isGone = false

  constructor(report: PasReport | null, changes: Partial<TreeStanding> = {}) {
    const now = Date.now() / 1000
    this.report = report
    this.standing = {
      root: '/home/somebody/project',
      state: 'ready',
      watching: true,
      progress: null,
      scanned_at: now - 5,
      trouble: null,
      history: [
        { at: now - 600, score: 0.5 },
        { at: now - 5, score: report?.score ?? null },
      ],
      ...changes,
    }
  }

  /** From here on `page` is answered by this. */
  async answer(page: Page): Promise<void> {
    await page.route('**/scope/v1/shm', async route => {
      this.asked++
      if (this.isGone) return route.abort('connectionrefused')
      return route.fulfill({ json: { success: true, data: this.report, metadata: this.standing } })
    })
    await page.route('**/scope/v1/shm/scan', async route => {
      this.scans++
      return route.fulfill({
        status: 202,
        json: { success: true, data: { state: 'scanning' }, metadata: {} },
      })
    })
  }
}
