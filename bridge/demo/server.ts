/**
 * The demo model behind HTTP on loopback, as LM Studio, llama.cpp, Ollama or vLLM would be, or as none of
 * them: an upstream that is always there, and one that fails in the ways that real ones do.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { reasonOf, TokenscopeError } from '../../events/errors.ts'
import { AnswerStream } from './answer-stream.ts'
import { Answering, forever } from './answering.ts'
import { FAULT_HEADER, type Faults, mergeFaults, parseFaults } from './faults.ts'
import { areFaultsOfBytes, createBodyWriter } from './faulty-writer.ts'
import { HABITS, type Habits, told } from './habits.ts'
import { Listener } from './listener.ts'
import { createDemoModel, type DemoModel } from './model/demo-model.ts'
import { parseJson, readBody } from './request-body.ts'
import { ResponseStore } from './response-store.ts'
import { type Address, addressOf, matchRoute } from './routes.ts'
import { StatusError } from './status-error.ts'
import { CONVERSATION_HEADER, type StreamSession, StreamSessions } from './stream-sessions.ts'
import type { Call, ModelReply, ReplayReply, Route, ServerKind, ServerState } from './surface.ts'

export interface DemoServerOptions {
  /** Tokens per second of each choice; 30 if not given, Infinity for no limit. */
  tokensPerSecond?: number
  /** 0, any free one, if not given. */
  port?: number
  /** `127.0.0.1` if not given. */
  host?: string
  /** A trained model to share; if not given one is trained when the server is created. */
  model?: DemoModel
  /** Whom it plays on paths without a prefix; `demo`, itself, if not given. */
  kind?: ServerKind
  /** Directives for all requests to the model, as text (faults.ts); none if not given. */
  faults?: string
  /** Told each request whose body has come, before it is answered. */
  onRequest?: (request: SeenRequest) => void
  /**
   * What stands in place of a token's text, asked when the token is told, once for each in its choice from 0.
   * The probability beside it is still that of the model's own token.
   */
  tokenText?: (index: number) => string
}

/** A request as it came. */
export interface SeenRequest {
  readonly method: string
  /** Path and query as they were written. */
  readonly url: string
  /** Names and values in turn, as they were written. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** A server that can be started once and stopped once. */
export interface DemoServer {
  /** Listens. Gives the base URL, without a slash at the end. Rejects with PORT_TAKEN if it cannot. */
  start(): Promise<{ url: string }>
  /** Stops listening, closes all connections and waits until every generation has let go. */
  stop(): Promise<void>
  /** Requests to the model that are being answered now. */
  readonly active: number
  /**
   * Sets the switch: directives for the next so many requests to the model, or for all from now on. What
   * was set before no longer holds. Throws a TokenscopeError BAD_REQUEST that names a bad directive, and a
   * RangeError if the requests are fewer than one.
   */
  setFaults(directives: string, requests?: number): void
  /**
   * Lets answers under way that are silent, or are to be, go on for so many tokens more than they were to;
   * to their end if no number is given.
   */
  goOn(tokens?: number): void
}

/** A directive may hold a long text, percent-encoded; Node's own limit is 16 KiB. */
const MAX_HEADER_BYTES = 1024 * 1024

/** What a request is answered with. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly address: Address
  readonly habits: Habits
  /** When it came, as `performance.now()` gives it. */
  readonly begun: number
  /** Aborted when the client goes or the answer is broken off. */
  readonly gone: AbortController
  /** Where the answer is kept so that it goes on without the client; null if it ends with it. */
  readonly session: StreamSession | null
}

/**
 * Creates a server; it does not listen yet. Throws a RangeError if the rate is not above 0, and a
 * TokenscopeError BAD_REQUEST that names a bad directive.
 */
export function createDemoServer(options: DemoServerOptions = {}): DemoServer {
  const { tokensPerSecond = 30, port = 0, host = '127.0.0.1', kind = 'demo' } = options
  if (!(tokensPerSecond > 0))
    throw new RangeError(`tokensPerSecond is ${tokensPerSecond}; it must be above 0`)
  let switched = { faults: parseFaults(options.faults ?? ''), requests: Number.POSITIVE_INFINITY }
  const { model = createDemoModel() } = options
  const running = new Set<Promise<void>>()
  const answers = new Set<Answering>()
  let active = 0
  const state: ServerState = {
    model,
    created: Math.floor(Date.now() / 1000),
    responses: new ResponseStore(),
    streams: new StreamSessions(),
    get active() {
      return active
    },
  }

  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const address = addressOf((request.url ?? '/').split('?', 1)[0] as string, kind)
    const begun = performance.now()
    const habits = HABITS[address.kind]
    const exchange: Exchange = { request, response, address, begun, gone, habits, session: null }
    const work = take(exchange).catch(error => {
      // The client has gone: nobody is left to tell, and nothing more to do.
      if (!gone.signal.aborted) refuse(exchange, error)
    })
    running.add(work)
    work.finally(() => running.delete(work))
  })
  const listener = new Listener(server, host, port)

  async function take(exchange: Exchange): Promise<void> {
    const { request, response, address, habits, gone } = exchange
    const own = parseFaults(headerOf(request, FAULT_HEADER) ?? '')
    const method = request.method ?? 'GET'
    const match = matchRoute(method, address)
    if (match.found !== 'route') {
      const allowed = match.found === 'path' ? match.methods.join(', ') : null
      const { path } = address
      const { status, body } =
        allowed === null ? habits.unknownPath(method, path) : habits.wrongMethod(method, path, allowed)
      // Some servers do not tell a wrong method from a path that they do not have.
      if (allowed !== null && status === 405) response.setHeader('allow', allowed)
      await receive(request).catch(() => null)
      return sendPlain(exchange, status, body)
    }
    const { route, params } = match
    try {
      await follow(exchange, route, params, route.followsNone ? {} : own)
    } catch (error) {
      if (gone.signal.aborted) return
      refuse(exchange, error, route)
    }
  }

  async function follow(
    exchange: Exchange,
    route: Route,
    params: Readonly<Record<string, string>>,
    own: Faults,
  ): Promise<void> {
    const { request, address } = exchange
    const { kind: addressed, path } = address
    const played = (addressed === 'demo' && route.plays) || addressed
    const call: Call = {
      kind: played,
      method: route.method,
      path,
      params,
      query: new URL(request.url ?? '/', 'http://localhost').searchParams,
      header: name => headerOf(request, name),
      body: parseJson(await receive(request)),
    }
    const reply = route.handle(call, state)
    if ('replay' in reply) return await replay({ ...exchange, habits: HABITS[played] }, reply)
    if (!('asked' in reply)) {
      const { '503': loading } = switched.faults
      const all = HABITS[played].loadsAlone && loading !== undefined ? { '503': loading } : {}
      const faults = mergeFaults(own, all)
      if (await isBroken(exchange, faults)) return
      return await sendFaulty(exchange, reply.status ?? 200, reply.body, faults)
    }
    exchange.gone.signal.throwIfAborted()
    const faults = mergeFaults(own, useSwitch())
    const habits = HABITS[played]
    const conversation = habits.keepsStreams ? call.header(CONVERSATION_HEADER) : undefined
    const session = conversation === undefined ? null : state.streams.open(conversation)
    const kept = { ...exchange, habits, session }
    active++
    try {
      if (await isBroken(kept, faults)) return
      await answer(kept, reply, faults)
    } catch (error) {
      if (!session?.cancelled.aborted || exchange.gone.signal.aborted) throw error
      // Stopped by its conversation's name: the connection, if it is still there, has an end in good order.
      if (exchange.response.headersSent) exchange.response.end()
      else exchange.response.destroy()
    } finally {
      active--
      // Only what was begun as a stream can be come back to.
      if (session !== null && session.total > 0) state.streams.finish(session)
      else if (session !== null) state.streams.forget(session)
    }
  }

  async function receive(request: IncomingMessage): Promise<Buffer> {
    const body = await readBody(request)
    const { method = '', url = '', rawHeaders } = request
    options.onRequest?.({ method, url, rawHeaders, body })
    return body
  }

  /** The switch's directives for one request more. */
  function useSwitch(): Faults {
    const { faults, requests } = switched
    switched = requests > 1 ? { faults, requests: requests - 1 } : { faults: {}, requests: 0 }
    return faults
  }

  /** Meets what the faults put before an answer. True if they are all of it. */
  async function isBroken(exchange: Exchange, faults: Faults): Promise<boolean> {
    const { response, habits } = exchange
    const signal = endOf(exchange)
    const wait = faults['slow-headers']
    if (wait === Number.POSITIVE_INFINITY) await forever(signal)
    else if (wait !== undefined) await setTimeout(wait, undefined, { signal })
    if (faults.refuse !== undefined) {
      listener.refuse(exchange.request.socket, faults.refuse)
      return true
    }
    const statuses = [429, 500, 503] as const
    const status = statuses.find(one => faults[`${one}`] !== undefined)
    if (status === undefined) return false
    const after = status === 500 ? null : faults[`${status}`]
    if (typeof after === 'number' && after < Number.POSITIVE_INFINITY) {
      response.setHeader('retry-after', Math.ceil(after / 1000))
    }
    throw new StatusError(status, habits.busyMessage[status])
  }

  async function answer(exchange: Exchange, { asked, wire }: ModelReply, faults: Faults): Promise<void> {
    const { response, habits, begun, gone, address, session } = exchange
    if (asked.stream && faults.json === 'error') {
      const { body } = HABITS.lmstudio.unknownPath('POST', address.path)
      return await sendFaulty(exchange, 200, body, faults)
    }
    const { zeroLogprob } = habits
    const { tokenText } = options
    const shared = { model, tokensPerSecond, tokenText }
    const answering = new Answering({ ...shared, asked, faults, zeroLogprob, begun, gone: endOf(exchange) })
    const form = wire(answering.outcome)
    answers.add(answering)
    try {
      if (asked.stream && faults.json === undefined) {
        await answering.stream(form, new AnswerStream(response, form, habits, faults, gone, session))
        return
      }
      await answering.gather()
    } finally {
      answers.delete(answering)
    }
    await sendFaulty(exchange, 200, form.whole(), faults)
  }

  return {
    get active() {
      return active
    },
    setFaults(directives, requests = Number.POSITIVE_INFINITY) {
      if (!(requests >= 1)) throw new RangeError(`requests is ${requests}; it must be at least 1`)
      switched = { faults: parseFaults(directives), requests }
    },
    goOn(tokens = Number.POSITIVE_INFINITY) {
      for (const answering of answers) answering.goOn(tokens)
    },
    async start() {
      return { url: await listener.start() }
    },
    async stop() {
      state.streams.stop()
      await listener.stop()
      await Promise.all(running)
    },
  }
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Answers with an error, in the form of the route or else of the server. */
function refuse(exchange: Exchange, error: unknown, route?: Route): void {
  const { response, habits, address } = exchange
  // Half an answer cannot be taken back; breaking it off is the only honest end.
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const known =
    error instanceof TokenscopeError
      ? error
      : new TokenscopeError('INTERNAL', `the demo model failed: ${reasonOf(error)}`, { cause: error })
  const body = route?.errors?.(known) ?? habits.errorBody(told(known), address.path)
  sendPlain(exchange, known.status, body)
}

/** What ends an answer before its end: with a conversation's name only its stop, else the client's going. */
function endOf({ session, gone }: Exchange): AbortSignal {
  return session?.cancelled ?? gone.signal
}

/** Sends what a stream has from a byte on, and what comes to it. */
async function replay({ response, habits, gone }: Exchange, { replay: session, from }: ReplayReply) {
  response.writeHead(200, { ...habits.headers, 'content-type': habits.sseType })
  response.flushHeaders()
  for (let at = from; ; ) {
    const bytes = session.read(at)
    // It was slower than the ring turns.
    if (bytes === null) {
      response.destroy()
      return
    }
    at += bytes.length
    if (bytes.length > 0 && !response.write(bytes)) await once(response, 'drain', { signal: gone.signal })
    if (at < session.total) continue
    if (session.isDone) break
    await session.changed(gone.signal)
  }
  response.end()
}

/** Sends an answer in one piece: text as it is, anything else as JSON. */
function sendPlain(exchange: Exchange, status: number, body: unknown): void {
  const bytes = writeHead(exchange, status, body, true)
  exchange.response.end(bytes)
}

/** The same, through the faults that are about bytes. */
async function sendFaulty(exchange: Exchange, status: number, body: unknown, faults: Faults): Promise<void> {
  const bytes = writeHead(exchange, status, body, !areFaultsOfBytes(faults))
  const writer = createBodyWriter(exchange.response, faults, exchange.gone)
  await writer.write(bytes)
  await writer.end()
}

function writeHead({ response, habits }: Exchange, status: number, body: unknown, sized: boolean): Buffer {
  if (body === undefined) {
    response.writeHead(status, habits.headers)
    return Buffer.alloc(0)
  }
  const isText = typeof body === 'string'
  const bytes = Buffer.from(isText ? body : JSON.stringify(body))
  response.writeHead(status, {
    ...habits.headers,
    'content-type': isText ? 'text/plain; charset=utf-8' : habits.jsonType,
    ...(sized ? { 'content-length': bytes.length } : {}),
  })
  return bytes
}
