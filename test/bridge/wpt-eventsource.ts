/**
 * The `format-*` tests of the Web Platform Tests' `eventsource/` folder, as bytes and what comes of them:
 * https://github.com/web-platform-tests/wpt/tree/master/eventsource (3-Clause BSD).
 *
 * Their bytes stand in the URLs that they ask for: `message.py` answers with its parameter `message`, then two
 * line feeds unless `newline` is `none`, and then always one more. `last-event-id.py` answers
 * `id: <idvalue>`, `retry: 200` and `data: hello`, and on the second connection `data: ` and the id it was
 * sent, if it was sent one.
 */

/** One connection: what was left of that before, its bytes, and what they say. */
export interface WptStream {
  /** The WPT file. */
  file: string
  /** What tells it from others of the same file. */
  of?: string
  /** The id to go on from. */
  lastEventId?: string
  bytes: Buffer
  /** An event without a name is a `message`. */
  events: { type: string; data: string; lastEventId: string }[]
  /** Waits that were asked for, in milliseconds. */
  retries: number[]
  /** What the next connection has to send as `Last-Event-ID`. */
  leaves: string
}

/** What `message.py` answers: `message` is percent-encoded as in the URL. */
function message(encoded: string, newline: 'none' | '\n\n' = '\n\n'): Buffer {
  return Buffer.from(`${decodeURIComponent(encoded)}${newline === 'none' ? '' : newline}\n`)
}

function stream(file: string, bytes: Buffer, data: string[], more: Partial<WptStream> = {}): WptStream {
  const events = data.map(one => ({ type: 'message', data: one, lastEventId: '' }))
  return { file, bytes, events, retries: [], leaves: '', ...more }
}

const event = (data: string, lastEventId: string) => ({ type: 'message', data, lastEventId })

const LONG = 'x'.repeat(2 * 1024)

/** What `last-event-id.py` answers first. */
const hello = (id: string) => Buffer.from(`id: ${id}\nretry: 200\ndata: hello\n\n`)
const back = (id: string) => Buffer.from(`data: ${id}\n\n`)

const helloOnce = stream('format-field-id.any.js', hello('…'), [], {
  of: 'first connection',
  events: [event('hello', '…')],
  retries: [200],
  leaves: '…',
})
const helloAgain = stream('format-field-id.any.js', back('…'), [], {
  of: 'second connection',
  lastEventId: '…',
  events: [event('…', '…')],
  leaves: '…',
})

/** The twenty files whose bytes are what they are about. */
export const WPT_STREAMS: readonly WptStream[] = [
  stream('format-bom.any.js', message('%EF%BB%BFdata%3A1%0A%0A%EF%BB%BFdata%3A2%0A%0Adata%3A3'), ['1', '3']),
  stream('format-bom-2.any.js', message('%EF%BB%BF%EF%BB%BFdata%3A1%0A%0Adata%3A2%0A%0Adata%3A3'), [
    '2',
    '3',
  ]),
  stream(
    'format-comments.any.js',
    message(encodeURI(`data:1\r:\0\n:\r\ndata:2\n:${LONG}\rdata:3\n:data:fail\r:${LONG}\ndata:4\n`), 'none'),
    ['1\n2\n3\n4'],
  ),
  stream(
    'format-data-before-final-empty-line.any.js',
    message(encodeURIComponent('retry:1000\ndata:test1\n\nid:test\ndata:test2'), 'none'),
    ['test1'],
    { retries: [1000] },
  ),
  stream('format-field-data.any.js', message('data%3A%0A%0Adata%0Adata%0A%0Adata%3Atest'), [
    '',
    '\n',
    'test',
  ]),
  stream('format-field-event.any.js', message('event%3Atest%0Adata%3Ax%0A%0Adata%3Ax'), [], {
    events: [
      { type: 'test', data: 'x', lastEventId: '' },
      { type: 'message', data: 'x', lastEventId: '' },
    ],
  }),
  stream('format-field-event-empty.any.js', message('event%3A%20%0Adata%3Adata'), ['data']),
  helloOnce,
  helloAgain,
  { ...helloOnce, file: 'format-field-id-2.any.js' },
  { ...helloAgain, file: 'format-field-id-2.any.js' },
  { ...helloAgain, file: 'format-field-id-2.any.js', of: 'third connection' },
  stream(
    'format-field-id-3.window.js',
    Buffer.from('id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n'),
    [],
    {
      of: 'lastEventId persists',
      events: [event('1', '1'), event('2', '1'), event('3', '2'), event('4', '2')],
      leaves: '2',
    },
  ),
  ...[
    ['lastEventId resets', 'id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n'] as const,
    ['lastEventId resets (id without colon)', 'id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n'] as const,
  ].map(([of, bytes]) =>
    stream('format-field-id-3.window.js', Buffer.from(bytes), [], {
      of,
      events: [event('1', '1'), event('2', ''), event('3', '')],
    }),
  ),
  ...['\0\0', 'x\0', '\0x', 'x\0x', ' \0'].map(id =>
    stream('format-field-id-null.window.js', hello(id), ['hello'], {
      of: encodeURIComponent(id),
      retries: [200],
    }),
  ),
  stream(
    'format-field-parsing.any.js',
    message(
      encodeURI(
        'data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n',
      ),
      'none',
    ),
    ['\0\n 2\n1\n3\n\n4'],
  ),
  // 03000, which is 1536 for whoever reads it as octal.
  stream('format-field-retry.any.js', message('retry%3A03000%0Adata%3Ax'), ['x'], { retries: [3000] }),
  stream('format-field-retry-bogus.any.js', message('retry%3A3000%0Aretry%3A1000x%0Adata%3Ax'), ['x'], {
    retries: [3000],
  }),
  stream('format-field-retry-empty.any.js', message('retry%0Adata%3Atest'), ['test']),
  stream(
    'format-field-unknown.any.js',
    message(
      'data%3Atest%0A%20data%0Adata%0Afoobar%3Axxx%0Ajustsometext%0A%3Athisisacommentyay%0Adata%3Atest',
    ),
    ['test\n\ntest'],
  ),
  stream('format-leading-space.any.js', message('data%3A%09test%0Ddata%3A%20%0Adata%3Atest'), [
    '\ttest\n\ntest',
  ]),
  stream('format-newlines.any.js', message('data%3Atest%0D%0Adata%0Adata%3Atest%0D%0A%0D', 'none'), [
    'test\n\ntest',
  ]),
  stream('format-null-character.any.js', message('data%3A%00%0A%0A'), ['\0']),
  // Its content type says windows-1252, which counts for nothing.
  stream('format-utf-8.any.js', message('data%3Aok%E2%80%A6'), ['ok…']),
]

/** The three files about content types, and that of `format-utf-8`: whether each is a stream of events. */
export const WPT_CONTENT_TYPES: readonly [file: string, contentType: string, isStream: boolean][] = [
  ['format-mime-bogus.any.js', 'x bogus', false],
  ['format-mime-trailing-semicolon.any.js', 'text/event-stream;', true],
  ['format-mime-valid-bogus.any.js', 'text/x-bogus', false],
  ['format-utf-8.any.js', 'text/event-stream;charset=windows-1252', true],
]
