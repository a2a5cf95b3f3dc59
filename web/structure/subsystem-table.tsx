import type { PasReport } from '../../health/shm/report.ts'
import { formatCount, formatPercent } from '../format.ts'
import { Place } from './place.tsx'
import { ShortList } from './short-list.tsx'

const WORDS = { declared: 'as declared', workspaces: 'by workspace', folders: 'by folder' } as const

/** The parts of the tree, the one with most lines first. */
export function SubsystemTable({ report }: { report: PasReport }) {
  const parts = [...report.subsystems].sort((one, other) => other.lines - one.lines)
  const all = Math.max(1, report.counts.lines)
  return (
    <section class="instrument-table" data-testid="subsystems">
      <h3>
        Parts <span class="note">{WORDS[report.policy.partition]}</span>
      </h3>
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col" class="figure">
              files
            </th>
            <th scope="col" class="figure">
              lines
            </th>
            <th scope="col" class="figure" title="Of all lines">
              share
            </th>
          </tr>
        </thead>
        <ShortList as="tbody" items={parts} most={12}>
          {({ name, files, lines }) => (
            <tr key={name}>
              <th scope="row">
                <Place file={name} />
                <i class="share" style={{ width: `${(lines / all) * 100}%` }} />
              </th>
              <td class="figure">{formatCount(files)}</td>
              <td class="figure">{formatCount(lines)}</td>
              <td class="figure">{formatPercent(lines / all)}</td>
            </tr>
          )}
        </ShortList>
      </table>
    </section>
  )
}
