import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { placeOf } from '../../broadcast/client/kept-tiles.ts'
import { ViewAssembly } from '../../broadcast/client/view-assembly.ts'
import { readClientMessages } from '../../broadcast/client-message.ts'
import { LIMITS } from '../../broadcast/limits.ts'
import { COLORS, LAYOUTS, TILE_SIDE, type ViewToken } from '../../broadcast/protocol/view.ts'
import type { ViewPart } from '../../broadcast/protocol/view-codec.ts'
import {
  BinaryReader,
  type ServerMessage,
  type ViewHead,
  type ViewMessage,
} from '../../broadcast/protocol.ts'
import { CLOSE_CODES } from '../../events/close-codes.ts'
import { confidenceOf, entropyOf } from '../../events/confidence.ts'
import type { LogEntry, TokenEntry } from '../../events/generation.ts'
import { stateEvent, tokenEvent } from '../support/hub-events.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRIES = ['neural_state', 'token_activation']

let doc: string
let protocol: string
beforeAll(async () => {
  doc = await readFile(join(ROOT, 'docs/protocol.md'), 'utf8')
  protocol = await readFile(join(ROOT, 'broadcast/protocol/messages.ts'), 'utf8')
})

/** What stands under a heading, up to the next one of its level or above. */
function under(heading: string): string {
  const level = heading.split(' ', 1)[0] as string
  const from = doc.indexOf(`\n${heading}\n`)
  if (from < 0) throw new Error(`docs/protocol.md has no heading "${heading}"`)
  const rest = doc.slice(from + heading.length + 2)
  const end = rest.search(new RegExp(`^#{2,${level.length}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    match => match[1] as string,
  )
}

function examples(heading: string): Record<string, unknown>[] {
  return blocks(under(heading), 'json').flatMap(text =>
    text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  )
}

/** The bytes of a listing. */
function bytesUnder(heading: string): Uint8Array {
  const [listing] = blocks(under(heading), 'hex')
  const bytes = (listing as string).split('\n').flatMap(line => {
    // Two spaces end the bytes of a line and begin the words about them.
    const [digits] = line.trim().split(/\s{2,}/, 1)
    return (digits ?? '').split(' ').filter(Boolean)
  })
  expect(bytes.every(byte => /^[0-9a-f]{2}$/.test(byte))).toBe(true)
  return Uint8Array.from(bytes, byte => Number.parseInt(byte, 16))
}

/** Names of the messages that have a heading of their own. */
function described(heading: string): string[] {
  return [...under(heading).matchAll(/^### `(\w+)`$/gm)].map(match => match[1] as string)
}

/** Names of the fields in the tables under a heading. */
function fields(heading: string): string[] {
  const rows = under(heading).matchAll(/^\| (`[^|]*) \|/gm)
  return [...rows].flatMap(row =>
    [...(row[1] as string).matchAll(/`(\w+)`/g)].map(match => match[1] as string),
  )
}

describe('docs/protocol.md', () => {
  it('describes every message of broadcast/protocol/messages.ts, and no other', () => {
    const told = [...protocol.matchAll(/^ {2}type: '(\w+)'$/gm)].map(match => match[1] as string)
    const inLine = [...protocol.matchAll(/\{ type: '(\w+)';? /g)].map(match => match[1] as string)
    const all = [...new Set([...told, ...inLine, ...ENTRIES])].sort()
    expect(all.length).toBeGreaterThan(12)
    expect([...described('## What the server says'), ...described('## What a client says')].sort()).toEqual(
      all,
    )
  })

  it('shows an example of each, of its type', () => {
    for (const side of ['## What the server says', '## What a client says']) {
      for (const type of described(side)) {
        const shown = examples(`### \`${type}\``).filter(example => 'type' in example)
        expect([type, ...shown.map(example => example.type)]).toEqual([type, type])
      }
    }
  })

  it('names every field of an example in the table above it, where there is one', () => {
    const types = [...described('## What the server says'), ...described('## What a client says')]
    const withTable = types.filter(type => fields(`### \`${type}\``).length > 0)
    expect(withTable.length).toBeGreaterThan(5)
    for (const type of withTable) {
      const named = ['type', ...fields(`### \`${type}\``)]
      const missing = Object.keys(examples(`### \`${type}\``)[0] as object).filter(
        field => !named.includes(field),
      )
      expect([type, missing]).toEqual([type, []])
    }
  })

  it('shows what a client says as the server takes it', () => {
    for (const type of described('## What a client says')) {
      const [example] = examples(`### \`${type}\``)
      expect(readClientMessages(Buffer.from(JSON.stringify(example)), false)).toEqual([example])
    }
  })

  it('shows entries and snapshots with all of their fields', () => {
    const { type: _type, ...state } = stateEvent('g')
    const keys = (heading: string) => Object.keys(examples(heading)[0] as object).sort()
    expect(keys('### `neural_state`')).toEqual([...Object.keys(state), 'seq', 'type'].sort())
    const token = [...Object.keys(tokenEvent('g', 0)), 'seq', 'position'].sort()
    expect(keys('### `token_activation`')).toEqual(token)
    const [snapshot] = examples('### `snapshot`') as unknown as (ServerMessage & { type: 'snapshot' })[]
    const generation = Object.keys(snapshot?.generations[0] as object).sort()
    expect(generation).toEqual([...Object.keys(state), 'text', 'tokens'].sort())
  })

  it('lists the close codes as they are', () => {
    const rows = under('## Close codes')
      .split('\n')
      .filter(line => /^\| \d/.test(line))
    expect(rows).toEqual(
      Object.values(CLOSE_CODES).map(
        ({ code, reason, comeBack }) => `| ${code} | ${reason} | ${comeBack ? 'yes' : 'no'} |`,
      ),
    )
  })

  it('names the limits that rule a viewer', () => {
    const slow = under('## Slow viewers')
    const kib = (bytes: number) => `${bytes / 1024} KiB`
    expect(slow).toContain(`more than ${kib(LIMITS.unackedBytes)} are on their way`)
    expect(slow).toContain(`${LIMITS.lagBytes / 1024 / 1024} MiB or ${LIMITS.lagMs / 1000} s behind`)
    expect(slow).toContain(`no ping for ${LIMITS.silentMs / 1000} s`)
    expect(LIMITS.frameBytes).toBeLessThanOrEqual(64 * 1024)
    expect(LIMITS.pingBytes).toBeLessThanOrEqual(64 * 1024)
    expect(LIMITS.snapshotPartChars).toBe(64 * 1024)
  })

  it('shows bytes that mean what stands beside them', () => {
    const entries = new BinaryReader().read(bytesUnder('### An example'))
    const shown = [...examples('### `token_activation`'), ...examples('### An example')]
    expect(entries).toEqual(shown as unknown as LogEntry[])
    expect(shown).toHaveLength(2)
  })

  it('shows a view in JSON and in bytes that says the same', () => {
    const parts: ViewPart[] = []
    const bytes = bytesUnder('### An example of a view')
    expect(new BinaryReader(part => parts.push(part)).read(bytes)).toEqual([])
    const [view, token] = examples('### `view`') as unknown as [ViewMessage, ViewToken]
    const had = { z: 2, x: 2, y: 0, version: 1_707_345_600_007, count: 5, cells: [] }
    const byPlace = new Map([[placeOf(had), had]])
    const { part: _part, last: _last, tokens: _tokens, tiles: _tiles, type: _type, id, ...head } = view
    const first: ViewPart = { id, part: 0, last: false, head: head as ViewHead, tokens: null, tiles: [] }
    const assembly = new ViewAssembly(byPlace, () => {})
    assembly.addBinary(first)
    const whole = assembly.addBinary(parts[0] as ViewPart)
    expect(parts).toMatchObject([{ id: 7, part: 1, last: true, head: null }])
    expect(whole).toEqual({ ...new ViewAssembly(byPlace, () => {}).add(view), tokens: [token] })
    expect(whole?.tiles).toEqual([view.tiles[0], had])
    expect(
      readClientMessages(Buffer.from(JSON.stringify(examples('### `viewport`')[0])), false),
    ).toMatchObject([{ id, have: [[had.z, had.x, had.y, had.version]] }])
  })

  it('names the sides, limits and values of questions and tiles as they are', () => {
    const tiles = under('### Tiles')
    expect(tiles).toContain(`${TILE_SIDE} × ${TILE_SIDE} cells`)
    for (const color of COLORS) expect(tiles).toContain(`| \`${color}\` |`)
    for (const layout of LAYOUTS) expect(under('## Layouts')).toContain(`| \`${layout}\` |`)
    expect(under('## Slow viewers')).toContain(`at most ${LIMITS.answerBytes / 1024} KiB of that`)
  })

  it('shows a confidence and an entropy that follow from the rest', () => {
    const [token] = examples('### `token_activation`') as unknown as TokenEntry[]
    expect(token?.confidence).toBe(confidenceOf(token?.logprob ?? null))
    expect(token?.entropy).toBe(entropyOf(token?.top ?? []))
  })

  it('leads to headings that are there', () => {
    const anchors = [...doc.matchAll(/^#+ (.*)$/gm)].map(match =>
      (match[1] as string)
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    for (const [, anchor] of doc.matchAll(/\]\(#([\w-]+)\)/g)) expect(anchors).toContain(anchor)
  })
})
