import { join } from 'node:path'
import * as sqlite from 'node:sqlite'
import { isFinal, type TokenEntry } from '../../events/generation.ts'
import type { GenerationDetail, GenerationRecord, RecordedToken } from '../../store/recording.ts'

/** What a server has said of its records: whoever asks it later must find no less. */
export class RecordsAudit {
  readonly #acknowledged = new Map<string, GenerationRecord>()

  /** Generations that a server has answered with. */
  get generations(): number {
    return this.#acknowledged.size
  }

  /** Of those the ones that were at their end. */
  get ended(): number {
    return [...this.#acknowledged.values()].filter(({ state }) => isFinal(state)).length
  }

  /** Asks for the newest; what is answered is acknowledged. Gives false if the server went meanwhile. */
  async ask(url: string): Promise<boolean> {
    try {
      for (const record of await list(url)) this.#acknowledged.set(record.generation, record)
      return true
    } catch {
      return false
    }
  }

  /** What a server that runs again has lost of it, or tells otherwise, as sentences. */
  async faults(url: string): Promise<string[]> {
    const faults: string[] = []
    for (const before of this.#acknowledged.values()) {
      const { generation, tokens, state } = before
      const response = await fetch(`${url}/scope/v1/generations/${generation}`)
      if (response.status !== 200) {
        faults.push(`${generation} is answered with ${response.status}`)
        continue
      }
      const now = ((await response.json()) as { data: GenerationDetail }).data
      if (now.tokens < tokens) faults.push(`${generation} had ${tokens} tokens and has ${now.tokens}`)
      if (isFinal(state) && now.state !== state) faults.push(`${generation} was ${state} and is ${now.state}`)
      if (!isFinal(now.state)) faults.push(`${generation} is ${now.state}, though nothing runs`)
      if (isFinal(state) && now.preview !== before.preview) faults.push(`${generation} has another text`)
    }
    return faults
  }

  /** Forgets what was acknowledged, for the next round. */
  clear(): void {
    this.#acknowledged.clear()
  }
}

/** The newest recorded generations. */
export async function list(url: string, query = 'limit=200'): Promise<GenerationRecord[]> {
  const response = await fetch(`${url}/scope/v1/generations?${query}`)
  if (response.status !== 200) throw new Error(`answered with ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { data: GenerationRecord[] }).data
}

/** All recorded tokens of a generation. */
export async function tokensOf(url: string, generation: string): Promise<RecordedToken[]> {
  const tokens: RecordedToken[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`
    const response = await fetch(`${url}/scope/v1/generations/${generation}/tokens?limit=10000${query}`)
    if (response.status !== 200) throw new Error(`answered with ${response.status}: ${await response.text()}`)
    const page = (await response.json()) as {
      data: RecordedToken[]
      metadata: { pagination: { next_cursor: string | null } }
    }
    tokens.push(...page.data)
    cursor = page.metadata.pagination.next_cursor
  } while (cursor !== null)
  return tokens
}

/** What of a token is the same for a viewer and in the records. */
export function toldOf(token: TokenEntry | RecordedToken) {
  const { index, token_id, token_text, kind, timestamp, logprob, confidence, entropy, top, position } = token
  return { index, token_id, token_text, kind, timestamp, logprob, confidence, entropy, top, position }
}

/** What SQLite finds wrong with the records in a data folder, which nobody may be writing. */
export function integrityOf(data: string): string {
  const database = new sqlite.DatabaseSync(join(data, 'records.db'), { readOnly: true })
  try {
    return String(database.prepare('PRAGMA integrity_check').get()?.integrity_check)
  } finally {
    database.close()
  }
}
