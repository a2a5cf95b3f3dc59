import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatPercent } from '../format.ts'
import { AlternativeBars } from '../inspector/alternative-bars.tsx'
import { TokenText } from '../inspector/token-text.tsx'
import { useScope } from '../scope.ts'

const AWAY = 12
const SHOWN_ALTERNATIVES = 4

/** What the token under the pointer is. It stays within the map and off the cell it tells of. */
export function MapTooltip() {
  const { map, selection } = useScope()
  const box = useRef<HTMLDivElement>(null)
  const hover = map.value?.hover.value ?? null
  const token = hover?.generation.tokens.detail(hover.index) ?? null

  useLayoutEffect(() => {
    const element = box.current
    const host = element?.parentElement
    if (!element || !host || !hover) return
    const { offsetWidth: width, offsetHeight: height } = element
    const right = hover.left + hover.size + AWAY
    const left = right + width + AWAY <= host.clientWidth ? right : hover.left - width - AWAY
    const top = hover.top + hover.size / 2 - height / 2
    const within = (value: number, most: number) => Math.round(Math.max(8, Math.min(value, most - 8)))
    element.style.transform = `translate(${within(left, host.clientWidth - width)}px, ${within(top, host.clientHeight - height)}px)`
  })

  const pinned = selection.current.value
  // The inspector tells the same already.
  const told = pinned !== null && pinned.generation === hover?.generation && pinned.index === hover.index
  if (!hover || !token || told) return null
  return (
    <div class="tooltip float" data-testid="tooltip" role="tooltip" ref={box}>
      <div class="tooltip-head">
        <TokenText text={token.text} />
        <span class="tooltip-p">{formatPercent(token.confidence)}</span>
      </div>
      {token.confidence === null ? (
        <p class="tooltip-note">Not given by this server; ask for logprobs.</p>
      ) : (
        <AlternativeBars token={token} most={SHOWN_ALTERNATIVES} />
      )}
    </div>
  )
}
