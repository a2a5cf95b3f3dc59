import type { Signal } from '@preact/signals'
import { useScope } from '../scope.ts'
import type { StructureFeed } from './structure-feed.ts'
import { scanWords, shownText } from './structure-words.ts'

/** UTF-16 units of a sentence that are shown. */
const MOST_SAID = 600

interface Props {
  feed: StructureFeed
  beat: Signal<number>
}

/** How far a scan is or when the last one was, and a button for another; what keeps the score from being as it should. */
export function ScanState({ feed, beat }: Props) {
  const { store } = useScope()
  beat.value // read: time goes on
  const standing = feed.standing.value
  if (standing === null) return null
  const { progress } = standing
  const total = progress?.total ?? null
  const trouble = feed.trouble.value ?? standing.trouble
  return (
    <>
      <div class="scan-state">
        <p data-testid="scan-words">{scanWords(standing, store.now)}</p>
        <button type="button" class="chip" disabled={feed.isScanning} onClick={() => void feed.scan()}>
          Scan again
        </button>
        <span
          class="scan-bar"
          {...(feed.isScanning
            ? {
                role: 'progressbar',
                'aria-label': 'Scan',
                ...(progress === null || total === null
                  ? {}
                  : { 'aria-valuenow': progress.done, 'aria-valuemax': total }),
              }
            : {})}
        >
          <i
            style={{ width: `${total === null ? 0 : ((progress?.done ?? 0) / Math.max(1, total)) * 100}%` }}
          />
        </span>
      </div>
      {trouble === null ? null : (
        <p
          class="structure-trouble"
          role="status"
          data-tone={standing.state === 'failed' ? 'failed' : 'waiting'}
        >
          <span class="state-dot" aria-hidden="true" />{' '}
          <span class="error-words">{shownText(trouble, MOST_SAID)}</span>
        </p>
      )}
    </>
  )
}
