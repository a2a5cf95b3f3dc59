import type { ComponentChildren } from 'preact'
import type { PasReport } from '../../health/shm/report.ts'
import { formatCount } from '../format.ts'
import { Place } from './place.tsx'
import { ShortList } from './short-list.tsx'
import { scoreWords, shownText } from './structure-words.ts'

/** UTF-16 units of a sentence that are shown. */
const MOST_SAID = 300

/** What is looked up now and then: imports that lead astray, and what did not go as it should. */
export function StructureDetails({ report: { worst_edges, unresolved, warnings } }: { report: PasReport }) {
  return (
    <section class="instrument-table structure-details" data-testid="structure-details">
      <h3>Details</h3>
      <Details name="Imports of less stable parts" items={worst_edges}>
        {({ file, line, to, from_instability, to_instability }) => (
          <li key={`${file}:${line}`}>
            <Place file={file} line={line} /> → <Place file={to} />{' '}
            <span class="note" title="Instability of both parts, of 1">
              {scoreWords(from_instability)} → {scoreWords(to_instability)}
            </span>
          </li>
        )}
      </Details>
      <Details name="Imports that lead nowhere" items={unresolved}>
        {({ file, line, specifier }) => (
          <li key={`${file}:${line} ${specifier}`}>
            <Place file={file} line={line} /> → <Place file={specifier} />
          </li>
        )}
      </Details>
      <Details name="Warnings" items={warnings}>
        {({ path, message }) => (
          <li key={`${path} ${message}`}>
            {path === null ? null : <Place file={path} />} <bdi>{shownText(message, MOST_SAID)}</bdi>
          </li>
        )}
      </Details>
    </section>
  )
}

interface DetailsProps<T> {
  name: string
  items: readonly T[]
  children(item: T): ComponentChildren
}

function Details<T>({ name, items, children }: DetailsProps<T>) {
  return (
    <details>
      <summary>
        {name} <span class="note">{formatCount(items.length)}</span>
      </summary>
      {items.length === 0 ? (
        <p class="note">None.</p>
      ) : (
        <ShortList items={items} most={20}>
          {children}
        </ShortList>
      )}
    </details>
  )
}
