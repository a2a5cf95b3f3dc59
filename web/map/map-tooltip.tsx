import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ViewToken } from '../../broadcast/protocol/view.ts'
import { formatDuration, formatPercent } from '../format.ts'
import { AlternativeBars } from '../inspector/alternative-bars.tsx'
import { TokenText } from '../inspector/token-text.tsx'
import { useScope } from '../scope.ts'
import type { TokenDetail } from '../token-columns.ts'
import { KIND_WORDS } from './legend-words.ts'

const AWAY = 12
const SHOWN_ALTERNATIVES = 4

/** What the token under the pointer is. It stays within the map and off the token it tells of. */
export function MapTooltip() {
  const { map, selection, store } = useScope()
  const box = useRef<HTMLDivElement>(null)
  const hover = map.value?.hover.value ?? null

  useLayoutEffect(() => {
    const element = box.current
    const host = element?.parentElement
    if (!element || !host || !hover) return
    const { offsetWidth: width, offsetHeight: height } = element
    const right = hover.left + hover.width + AWAY
    const left = right + width + AWAY <= host.clientWidth ? right : hover.left - width - AWAY
    const top = hover.top + hover.height / 2 - height / 2
    const within = (value: number, most: number) => Math.round(Math.max(8, Math.min(value, most - 8)))
    element.style.transform = `translate(${within(left, host.clientWidth - width)}px, ${within(top, host.clientHeight - height)}px)`
  })

  if (!hover) return null
  const { token } = hover
  const colon = token.id.lastIndexOf(':')
  const generation = store.get(token.id.slice(0, colon))
  const index = Number(token.id.slice(colon + 1))
  const pinned = selection.current.value
  // The inspector tells the same already.
  if (generation !== undefined && pinned?.generation === generation && pinned.index === index) return null
  // Of its alternatives the answer knows nothing: those the page has, if it holds the token.
  const detail = generation?.tokens.detail(index) ?? null
  return (
    <div class="tooltip float" data-testid="tooltip" role="tooltip" ref={box}>
      <div class="tooltip-head">
        <TokenText text={token.text} />
        <span class="tooltip-p">{formatPercent(detail?.confidence ?? token.confidence)}</span>
      </div>
      {token.confidence === null ? (
        <p class="tooltip-note">Not given by this server; ask for logprobs.</p>
      ) : detail === null ? null : (
        <AlternativeBars token={detail} most={SHOWN_ALTERNATIVES} />
      )}
      <TooltipFacts token={token} detail={detail} />
    </div>
  )
}

function TooltipFacts({ token, detail }: { token: ViewToken; detail: TokenDetail | null }) {
  const entropy = detail?.entropy ?? token.entropy
  return (
    <dl class="tooltip-facts">
      {entropy === null ? null : (
        <div>
          <dt>entropy</dt>
          <dd>{entropy.toFixed(2)} nats</dd>
        </div>
      )}
      {token.interval_ms === null ? null : (
        <div>
          <dt>since the last</dt>
          <dd>{formatDuration(token.interval_ms)}</dd>
        </div>
      )}
      <div>
        <dt>kind</dt>
        <dd>{KIND_WORDS[token.kind]}</dd>
      </div>
    </dl>
  )
}
