import { cividisCss } from '../../compositor/draw/cividis.ts'
import { formatDuration, formatPercent } from '../format.ts'
import type { Generation } from '../generation.ts'
import { AlternativeBars } from './alternative-bars.tsx'
import { Fact } from './fact.tsx'
import { TokenText } from './token-text.tsx'

const MOST_ALTERNATIVES = 20
const KIND_WORDS = { message: 'answer', reasoning: 'reasoning', tool_call: 'tool call' }

/** One token: its text, how sure the model was, and what it might have said instead. */
export function TokenView({ generation, index }: { generation: Generation; index: number }) {
  generation.revision.value // read: a token that is missing may still come
  const token = generation.tokens.detail(index)
  if (token === null) return <p class="note">This token is not held on this page any more.</p>
  const given = token.confidence !== null
  return (
    <section class="token-view" aria-label="Token">
      <div class="token-hero" data-known={given}>
        <TokenText text={token.text} />
      </div>
      <div class="token-numbers">
        <div class="number">
          <span class="number-value">{formatPercent(token.confidence)}</span>
          <span class="number-name">
            {given ? (
              <span
                class="swatch"
                style={{ background: cividisCss(token.confidence ?? 0) }}
                aria-hidden="true"
              />
            ) : (
              <span class="swatch swatch-unknown" aria-hidden="true" />
            )}
            probability
          </span>
        </div>
        <div class="number">
          <span class="number-value">
            {token.entropy === null ? '–' : token.entropy.toFixed(2)}
            {token.entropy === null ? null : <small> nats</small>}
          </span>
          <span class="number-name" title="Entropy over the alternatives given, the rest as one lump">
            entropy over the alternatives given
          </span>
        </div>
      </div>
      {given ? (
        <>
          <h3>Alternatives</h3>
          <AlternativeBars token={token} most={MOST_ALTERNATIVES} />
          {token.top.length === 0 ? <p class="note">No alternatives given; ask for top_logprobs.</p> : null}
        </>
      ) : (
        <p class="note">Not given by this server; ask for logprobs.</p>
      )}
      <dl class="facts">
        <Fact name="since previous">
          {token.sincePrevious === null ? '–' : formatDuration(token.sincePrevious * 1000)}
        </Fact>
        <Fact name="position">
          {index + 1}, cell {token.x}, {token.y}
        </Fact>
        <Fact name="part of">{KIND_WORDS[token.kind]}</Fact>
        {token.logprob === null ? null : <Fact name="logprob">{token.logprob.toFixed(4)}</Fact>}
        {token.tokenId === null ? null : <Fact name="token id">{token.tokenId}</Fact>}
      </dl>
    </section>
  )
}
