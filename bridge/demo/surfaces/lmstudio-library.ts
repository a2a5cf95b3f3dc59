/**
 * The one plugin that the demo has where it plays LM Studio: a library of the passages that the model learned
 * from, with one tool that finds those about something. The server runs it itself, as LM Studio runs plugins.
 *
 * The model cannot decide to call a tool. So it calls one in each answer for which the plugin is enabled: the
 * library's, or, if the request allows only tools that the library has not, the first of those, which fails.
 */
import { randomBytes } from 'node:crypto'
import type { DemoModel } from '../model/demo-model.ts'
import type { ToolCall } from '../surface.ts'
import { bad, type Fields, isRecord } from './fields.ts'

const LIBRARY = 'tokenscope/library'
const TOOL = 'find_passages'

const MAX_PASSAGES = 5
/** Of what the user said, in a query. */
const MAX_CHARACTERS = 200

/** Why a call did not come to an output, as LM Studio tells it. */
export interface ToolFailure {
  readonly reason: string
  readonly metadata: Fields
}

/** What a request's integrations come to. */
export interface Integrations {
  readonly call: ToolCall | null
  /** Where the tool of the call comes from. */
  readonly provider: Fields
  readonly failure: ToolFailure | null
  /** An integration that could not be reached: the answer is this error. */
  readonly unreachable: { readonly type: string; readonly message: string } | null
}

/**
 * Reads `integrations` and runs what there is to run. Throws a TokenscopeError BAD_REQUEST for what is none.
 */
export function readIntegrations(value: unknown, prompt: string, model: DemoModel): Integrations {
  const provider = { type: 'plugin', plugin_id: LIBRARY }
  const nothing: Integrations = { call: null, provider, failure: null, unreachable: null }
  if (!Array.isArray(value ?? [])) throw bad('integrations must be an array', 'integrations')
  const all = ((value ?? []) as unknown[]).map((one, i) => readIntegration(one, `integrations[${i}]`))
  const missing = all.find(({ id }) => id !== LIBRARY)
  if (missing !== undefined) return { ...nothing, unreachable: missing.unreachable }
  const library = all[0]
  const name = library?.allowed?.includes(TOOL) === false ? library.allowed[0] : TOOL
  if (library === undefined || name === undefined) return nothing

  const query = prompt.slice(0, MAX_CHARACTERS).toWellFormed()
  const call = { id: randomBytes(12).toString('hex'), name, arguments: JSON.stringify({ query }) }
  if (name !== TOOL) {
    const reason = `Cannot find tool with name ${name}.`
    return failed(nothing, call, { reason, metadata: { type: 'invalid_name', tool_name: name } })
  }
  if (!/\p{L}/u.test(query)) {
    const metadata = {
      type: 'invalid_arguments',
      tool_name: name,
      arguments: { query },
      provider_info: provider,
    }
    return failed(nothing, call, { reason: 'query must hold at least one word.', metadata })
  }
  return { ...nothing, call: { ...call, output: findPassages(model, query) } }
}

/** The model is told the reason in the place of an output, and goes on with a message. */
function failed(nothing: Integrations, call: ToolCall, failure: ToolFailure): Integrations {
  return { ...nothing, call: { ...call, output: failure.reason }, failure }
}

/** What the tool gives: the requests that the library has passages for, as the content of an MCP result. */
function findPassages(model: DemoModel, query: string): string {
  const found = model
    .passagesAbout(query, model.passages.length)
    .flatMap(({ request }) => (request === '' ? [] : [request]))
    .slice(0, MAX_PASSAGES)
  return JSON.stringify([{ type: 'text', text: found.join('\n') }])
}

interface Integration {
  readonly id: string | null
  readonly allowed: readonly string[] | undefined
  readonly unreachable: { readonly type: string; readonly message: string }
}

function readIntegration(value: unknown, at: string): Integration {
  const fields = typeof value === 'string' ? { type: 'plugin', id: value } : value
  if (!isRecord(fields)) throw bad(`${at} must be the id of a plugin or an object`, at)
  if (fields.type === 'ephemeral_mcp') {
    for (const name of ['server_label', 'server_url']) {
      if (typeof fields[name] !== 'string') throw bad(`${at}.${name} must be a string`, `${at}.${name}`)
    }
    const message = `Failed to connect to MCP server "${fields.server_label}": the demo reaches no other server.`
    return { id: null, allowed: undefined, unreachable: { type: 'mcp_connection_error', message } }
  }
  if (fields.type !== 'plugin') throw bad(`${at}.type must be plugin or ephemeral_mcp`, `${at}.type`)
  if (typeof fields.id !== 'string') throw bad(`${at}.id must be a string`, `${at}.id`)
  const message = `Cannot find plugin "${fields.id}"; the demo has "${LIBRARY}".`
  return {
    id: fields.id,
    allowed: allowedOf(fields.allowed_tools, `${at}.allowed_tools`),
    unreachable: { type: 'plugin_connection_error', message },
  }
}

function allowedOf(tools: unknown, at: string): string[] | undefined {
  if ((tools ?? null) === null) return undefined
  if (!Array.isArray(tools)) throw bad(`${at} must be an array of names`, at)
  return tools.map((name: unknown) => {
    if (typeof name !== 'string') throw bad(`${at} must hold names`, at)
    return name
  })
}
