import type { PasReport } from '../../health/shm/report.ts'
import { Place } from './place.tsx'
import { ShortList } from './short-list.tsx'
import { shownText } from './structure-words.ts'

/** UTF-16 units of a sentence that are shown. */
const MOST_SAID = 400

/** What would raise the score most, computed one by one. */
export function AdviceList({ report: { advice, score } }: { report: PasReport }) {
  return (
    <section class="instrument-table" data-testid="advice">
      <h3>
        What to fix first
        {advice.length === 0 ? null : <span class="note">and what it brings</span>}
      </h3>
      {advice.length === 0 ? (
        <p class="note">
          {score === null
            ? 'There is nothing to score.'
            : 'No single change is known that would raise the score.'}
        </p>
      ) : (
        <ShortList class="structure-rows" items={advice} most={5}>
          {({ what, gain, score_then, places }) => (
            <li key={what} class="advice">
              <span class="gain" title={`The score would be ${score_then.toFixed(3)}`}>
                +{gain.toFixed(3)}
              </span>
              <span>
                <bdi>{shownText(what, MOST_SAID)}</bdi>
                <ShortList items={places} most={2}>
                  {({ file, line, to }) => (
                    <li key={`${file}:${line}`}>
                      <Place file={file} line={line} /> → <Place file={to} />
                    </li>
                  )}
                </ShortList>
              </span>
            </li>
          )}
        </ShortList>
      )}
    </section>
  )
}
