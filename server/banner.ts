import { styleText } from 'node:util'
import type { ComponentReport } from '../events/components.ts'
import { sizeText } from '../events/quantities.ts'

type Style = Parameters<typeof styleText>[0]

export interface BannerFacts {
  version: string
  url: string
  data: string
  components: readonly ComponentReport[]
}

/** Components that a start shows as they tell of themselves. */
const SHOWN: ReadonlySet<string> = new Set(['upstream', 'source', 'compositor', 'structure'])

const MARK_STYLE: Record<ComponentReport['status'], Style> = {
  ok: 'green',
  degraded: 'yellow',
  failed: 'red',
}

/** What the report of several upstreams says of each. */
interface UpstreamFacts {
  name: string
  url: string
  up: boolean
  trouble: string | null
}

function stateOf({ name, url, up, trouble }: UpstreamFacts): string {
  const where = url.endsWith(`/${name}`) ? url : `${name} at ${url}`
  if (up) return `${where} answers`
  return `${where} is not answering${trouble === null ? '' : ` (${trouble})`}`
}

/** Whether what is said is kept, which whoever starts it should know, and how much there is. */
function recordsLine({ status, detail, facts }: ComponentReport): string {
  if (status !== 'ok') return detail
  const { record, bytes } = facts as { record: 'off' | 'meta' | 'full'; bytes: number }
  const size = sizeText(bytes)
  if (record === 'off') return `nothing is recorded; ${size} on disk from before`
  return `${record === 'meta' ? 'numbers are recorded, words are not' : 'everything is recorded'}; ${size} on disk`
}

/** The one screen that a start prints; plain where `stream` is no terminal. */
export function bannerText(
  { version, url, data, components }: BannerFacts,
  stream: NodeJS.WritableStream,
): string {
  const paint = (style: Style, text: string) => styleText(style, text, { stream })
  const row = (label: string, text: string) => `  ${paint('dim', label.padEnd(10))}${text}`
  const upstreamRow = (upstream: UpstreamFacts, at: number) => {
    const mark = paint(MARK_STYLE[upstream.up ? 'ok' : 'degraded'], '●')
    return row(at === 0 ? 'upstream' : '', `${mark} ${stateOf(upstream)}`)
  }
  const rows = components
    .filter(({ name }) => SHOWN.has(name))
    .map(({ name, status, detail, facts }) => {
      const upstreams = (facts?.upstreams ?? []) as readonly UpstreamFacts[]
      if (upstreams.length > 1) return upstreams.map(upstreamRow).join('\n')
      const mark = paint(MARK_STYLE[status], '●')
      // A sentence a line, so that it is read at a glance and a narrow terminal does not break it.
      const [first = '', ...more] = detail.split(/(?<=\.) (?=[A-Z])/)
      return [
        row(name === 'compositor' ? 'gpu' : name, `${mark} ${first}`),
        ...more.map(sentence => row('', `  ${sentence}`)),
      ].join('\n')
    })
  const recordsRow = components
    .filter(({ name }) => name === 'records')
    .map(report => row('records', `${paint(MARK_STYLE[report.status], '●')} ${recordsLine(report)}`))
  return [
    '',
    `  ${paint('bold', 'tokenscope')} ${paint('dim', version)}`,
    '',
    row('page', paint(['bold', 'underline'], `${url}/`)),
    row('apps', `${url}/v1   ${paint('dim', 'base URL for your apps')}`),
    ...rows,
    ...recordsRow,
    row('data', data),
    '',
    paint('dim', '  Ctrl-C stops.'),
    '',
    '',
  ].join('\n')
}
