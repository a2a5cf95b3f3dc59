import type { PasReport, PasScc } from '../../health/shm/report.ts'
import { formatCount } from '../format.ts'
import { CopyButton } from '../frame/copy-button.tsx'
import { Place } from './place.tsx'
import { ShortList } from './short-list.tsx'
import { counted } from './structure-words.ts'

/** Places of a cycle that are shown; copied are all. */
const MOST_PLACES = 12

/** Files that import each other in a circle: each group with its shortest circle. */
export function CycleList({ report: { sccs, counts } }: { report: PasReport }) {
  return (
    <section class="instrument-table" data-testid="cycles" data-tone={sccs.length === 0 ? 'live' : 'waiting'}>
      <h3>
        Import cycles
        {sccs.length === 0 ? null : (
          <span class="note">
            {formatCount(counts.files_in_cycles)} of {counted(counts.files, 'file')}
          </span>
        )}
      </h3>
      {sccs.length === 0 ? (
        <p>
          <span class="state-dot" aria-hidden="true" /> No import cycles
        </p>
      ) : (
        <ShortList class="structure-rows" items={sccs} most={20}>
          {scc => <Cycle key={scc.files[0]} scc={scc} />}
        </ShortList>
      )}
    </section>
  )
}

function Cycle({ scc: { size, edges, cycle } }: { scc: PasScc }) {
  const left = cycle.length - MOST_PLACES
  return (
    <li class="cycle">
      <span>
        {counted(size, 'file')} <span class="note">{counted(edges, 'import')} among them</span>
      </span>
      <CopyButton label="places" text={() => cycle.map(({ file, line }) => `${file}:${line}`).join('\n')} />
      <p>
        {cycle.slice(0, MOST_PLACES).map(({ file, line }) => (
          <span key={file}>
            <Place file={file} line={line} /> →{' '}
          </span>
        ))}
        {left > 0 ? <span class="note">{counted(left, 'file')} more → </span> : null}
        <Place file={cycle[0]?.file ?? ''} />
      </p>
    </li>
  )
}
