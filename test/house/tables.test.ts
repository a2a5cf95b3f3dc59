import { describe, expect, it } from 'vitest'
import { DIRECTIVE_NAMES, DIRECTIVES, usageOf } from '../../bridge/demo/faults.ts'
import { ROUTES } from '../../bridge/demo/routes.ts'
import { SERVER_KINDS } from '../../bridge/demo/surface.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import {
  BACKUP_KEYS,
  CONFIG_KEYS,
  type ConfigKey,
  DEMO_KEYS,
  REPLAY_KEYS,
  RESTORE_KEYS,
  SHM_KEYS,
} from '../../events/config-keys.ts'
import { ERROR_CODES } from '../../events/errors.ts'
import { METRICS } from '../../events/metrics.ts'
import { code, NONE, row, rowsUnder } from './doc-tables.ts'

// Whole rows are compared, in both directions: what one side lacks shows in the difference, ready to be pasted.
describe('docs/reference.md and the tables of events/', () => {
  it('agree on the options', async () => {
    const rows = CONFIG_KEYS.map(({ flag, value, repeatable, fallback, meaning }) =>
      row(code(`--${flag} ${value}`), code(fallback), repeatable ? `${meaning}; repeatable` : meaning),
    )
    expect(await rowsUnder('Options')).toEqual(rows.sort())
  })

  it('agree on the options of the other programs', async () => {
    const programs: [name: string, keys: readonly ConfigKey[]][] = [
      ['backup', BACKUP_KEYS],
      ['restore', RESTORE_KEYS],
      ['replay', REPLAY_KEYS],
      ['shm', SHM_KEYS],
    ]
    const rows = programs.flatMap(([name, keys]) =>
      keys.map(({ flag, value, fallback, meaning }) =>
        row(code(`pnpm ${name}`), code(`--${flag} ${value}`.trim()), code(fallback), meaning),
      ),
    )
    expect(await rowsUnder('Other programs')).toEqual(rows.sort())
  })

  it('agree on the metrics', async () => {
    const rows = Object.entries(METRICS).map(([name, { type, labels }]) =>
      row(code(name), type, labels.map(code).join(', ') || NONE),
    )
    expect(await rowsUnder('Metrics')).toEqual(rows.sort())
  })

  it('agree on the error codes', async () => {
    const rows = Object.entries(ERROR_CODES).map(([name, { status, meaning }]) =>
      row(code(name), String(status), meaning),
    )
    expect(await rowsUnder('Error codes')).toEqual(rows.sort())
  })

  it('agree on the close codes', async () => {
    const rows = Object.values(CLOSE_CODES).map(close =>
      row(String(close.code), close.reason, close.comeBack ? 'yes' : 'no'),
    )
    expect(await rowsUnder('Close codes')).toEqual(rows.sort())
  })
})

describe('docs/demo.md and the tables of the demo server', () => {
  it('agree on the options', async () => {
    const rows = DEMO_KEYS.map(({ flag, value, repeatable, fallback, meaning }) =>
      row(code(`--${flag} ${value}`), code(fallback), repeatable ? `${meaning}; repeatable` : meaning),
    )
    expect(await rowsUnder('Options', 'demo.md')).toEqual(rows.sort())
  })

  it('agree on the paths', async () => {
    const rows = ROUTES.map(({ method, path, kinds }) =>
      row(code(`${method} ${path}`), kinds.length === SERVER_KINDS.length ? 'all' : kinds.join(', ')),
    )
    expect(await rowsUnder('Paths', 'demo.md')).toEqual(rows.sort())
  })

  it('agree on the directives', async () => {
    const rows = DIRECTIVE_NAMES.map(name => row(code(usageOf(name)), DIRECTIVES[name].meaning))
    expect(await rowsUnder('Directives', 'demo.md')).toEqual(rows.sort())
  })
})
