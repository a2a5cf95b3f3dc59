import { styleText } from 'node:util'
import type { ComponentReport } from '../events/components.ts'

type Style = Parameters<typeof styleText>[0]

export interface BannerFacts {
  version: string
  url: string
  data: string
  components: readonly ComponentReport[]
}

const MARK_STYLE: Record<ComponentReport['status'], Style> = {
  ok: 'green',
  degraded: 'yellow',
  failed: 'red',
}

/** The one screen that a start prints; plain where `stream` is no terminal. */
export function bannerText(
  { version, url, data, components }: BannerFacts,
  stream: NodeJS.WritableStream,
): string {
  const paint = (style: Style, text: string) => styleText(style, text, { stream })
  const row = (label: string, text: string) => `  ${paint('dim', label.padEnd(10))}${text}`
  const rows = components
    .filter(({ name }) => name === 'upstream' || name === 'source' || name === 'compositor')
    .map(({ name, status, detail }) => {
      const mark = paint(MARK_STYLE[status], '●')
      // A sentence a line, so that it is read at a glance and a narrow terminal does not break it.
      const [first = '', ...more] = detail.split(/(?<=\.) (?=[A-Z])/)
      return [
        row(name === 'compositor' ? 'gpu' : name, `${mark} ${first}`),
        ...more.map(sentence => row('', `  ${sentence}`)),
      ].join('\n')
    })
  return [
    '',
    `  ${paint('bold', 'tokenscope')} ${paint('dim', version)}`,
    '',
    row('page', paint(['bold', 'underline'], `${url}/`)),
    row('apps', `${url}/v1   ${paint('dim', 'base URL for your apps')}`),
    ...rows,
    row('data', data),
    '',
    paint('dim', '  Ctrl-C stops.'),
    '',
    '',
  ].join('\n')
}
