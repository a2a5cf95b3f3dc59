import type { ComponentChildren } from 'preact'
import { formatCount, formatDuration, formatPercent } from '../format.ts'
import type { Generation } from '../generation.ts'
import type { TokenDetail } from '../token-columns.ts'
import { AlternativeBars } from './alternative-bars.tsx'
import { namedSigns } from './character-names.ts'
import { CodePoints } from './code-points.tsx'
import { ContinueFrom } from './continue-from.tsx'
import { Fact } from './fact.tsx'
import { surpriseOf } from './likelihood.ts'
import { LogprobsNote } from './logprobs-note.tsx'
import { tokenColour } from './token-colour.ts'
import { TokenText } from './token-text.tsx'
import { useTokenInk } from './use-token-ink.ts'

const MOST_ALTERNATIVES = 20
const MOST_SIGNS = 20
const KIND_WORDS = { message: 'answer', reasoning: 'reasoning', tool_call: 'tool call' }

/** One token: its text, how sure the model was, and what it might have said instead. */
export function TokenView({ generation, index }: { generation: Generation; index: number }) {
  generation.revision.value // read: a token that is missing may still come
  const ink = useTokenInk(generation)
  const token = generation.tokens.detail(index)
  if (token === null)
    return (
      <p class="note token-missing">
        {index < generation.tokensProcessed || generation.live
          ? 'This token is not held on this page.'
          : `There is no token ${index + 1} in this generation.`}
      </p>
    )
  const given = token.confidence !== null
  return (
    <section class="token-view" aria-label="Token">
      <TokenHero token={token} colour={tokenColour(generation.tokens, index, ink)} />
      <CodePoints key={index} text={token.text} />
      <TokenNumbers token={token} />
      {given && token.top.length > 0 ? null : (
        <LogprobsNote generation={generation} missing={given ? 'alternatives' : 'probability'} />
      )}
      <ContinueFrom key={`${generation.id}:${index}`} generation={generation} index={index}>
        {take =>
          given ? (
            <>
              <h3>Alternatives</h3>
              <AlternativeBars token={token} most={MOST_ALTERNATIVES} whole onTake={take} />
            </>
          ) : null
        }
      </ContinueFrom>
      <TokenFacts generation={generation} token={token} />
    </section>
  )
}

function TokenHero({ token, colour }: { token: TokenDetail; colour: string | null }) {
  const signs = namedSigns(token.text)
  return (
    <>
      <div class="token-hero" data-known={token.confidence !== null}>
        <span
          class="token-edge"
          data-unknown={colour === null}
          style={colour === null ? {} : { background: colour }}
          aria-hidden="true"
        />
        <TokenText text={token.text} />
      </div>
      {signs.length === 0 ? null : (
        <p class="sign-names">
          {signs.slice(0, MOST_SIGNS).map(({ sign, name, count }) => (
            <span key={`${sign}${name}`} class="sign-name">
              <span class="sign">{sign}</span> {name}
              {count > 1 ? ` × ${count}` : null}
            </span>
          ))}
          {signs.length > MOST_SIGNS ? <span>and {signs.length - MOST_SIGNS} more</span> : null}
        </p>
      )}
    </>
  )
}

/** Probability, surprise and entropy, each with what it means. */
function TokenNumbers({ token }: { token: TokenDetail }) {
  const { confidence, entropy } = token
  const surprise = surpriseOf(token)
  return (
    <div class="token-numbers">
      <TokenNumber
        value={formatPercent(confidence)}
        unit={null}
        name="probability"
        meaning={confidence === null ? null : oddsOf(confidence)}
      />
      <TokenNumber
        value={nats(surprise)}
        unit="nats"
        name="surprise"
        title="−ln of the probability: how unexpected this token was. 0 nats is certain; 0.69 nats is a coin that came up heads."
        meaning={surprise === null || entropy === null ? null : besideEntropy(surprise, entropy)}
      />
      <TokenNumber
        value={nats(entropy)}
        unit="nats"
        name="entropy over the alternatives given"
        title="How unsure the model was here, whatever came: over the alternatives given, all others as one."
        meaning={
          entropy === null ? null : `as unsure as among ${Math.exp(entropy).toFixed(1)} equally likely tokens`
        }
      />
    </div>
  )
}

interface NumberProps {
  value: string | null
  unit: string | null
  name: string
  title?: string
  meaning: ComponentChildren
}

function TokenNumber({ value, unit, name, title, meaning }: NumberProps) {
  return (
    <div class="number" title={title ?? ''}>
      <span class="number-value">
        {value ?? '–'}
        {value === null || unit === null ? null : <small> {unit}</small>}
      </span>
      <span class="number-name">{name}</span>
      {meaning === null ? null : <span class="number-meaning">{meaning}</span>}
    </div>
  )
}

function TokenFacts({ generation, token }: { generation: Generation; token: TokenDetail }) {
  const { tokens, tokensProcessed, ttftMs } = generation
  const since = sinceStart(generation, token)
  return (
    <dl class="facts">
      <Fact name="since the last token">
        {token.sincePrevious === null ? '–' : formatDuration(token.sincePrevious * 1000)}
      </Fact>
      <Fact name={ttftMs === null ? 'since the first token' : 'since the start'}>
        {formatDuration(since)}
      </Fact>
      <Fact name="position">
        {token.index + 1} of {Math.max(tokens.end, generation.live ? 0 : tokensProcessed)}
        {token.x < 0 ? null : `, cell ${token.x}, ${token.y}`}
      </Fact>
      <Fact name="part of">{KIND_WORDS[token.kind]}</Fact>
      <Fact name="logprob">{token.logprob === null ? '–' : token.logprob.toFixed(4)}</Fact>
      <Fact name="token id">{token.tokenId ?? '–'}</Fact>
    </dl>
  )
}

/** Milliseconds from the request, or from the first token where nobody knows when that was; null where that is not held. */
function sinceStart({ tokens, ttftMs }: Generation, { time }: TokenDetail): number | null {
  return tokens.has(0) ? (time - tokens.time(0)) * 1000 + (ttftMs ?? 0) : null
}

function nats(value: number | null): string | null {
  if (value === null || !Number.isFinite(value)) return null
  return value < 100 ? value.toFixed(2) : value.toFixed(0)
}

function oddsOf(p: number): string {
  if (p >= 0.995) return 'all but certain'
  if (p <= 0) return 'next to never'
  const odds = 1 / p
  return odds < 10 ? `1 in ${odds.toFixed(1)}` : `1 in ${formatCount(odds)}`
}

/** On average the surprise is the entropy: which of them is greater says whether something rarer than usual came. */
function besideEntropy(surprise: number, entropy: number): string {
  const gap = surprise - entropy
  if (Math.abs(gap) < 0.1) return 'as expected here'
  return gap > 0 ? 'less likely than usual here' : 'likelier than usual here'
}
