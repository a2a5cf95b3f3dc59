import { useEffect, useState } from 'preact/hooks'
import { CopyButton } from '../frame/copy-button.tsx'
import type { Generation } from '../generation.ts'
import { callServer } from '../server-api.ts'
import { logprobsHelp } from './logprobs-help.ts'

/** What is missing: every probability, or the alternatives alone. */
type Missing = 'probability' | 'alternatives'

interface Props {
  generation: Generation
  missing: Missing
}

interface UpstreamEntry {
  label: string
  kind: string | null
}

/** Why there is no probability, and how an app asks this kind of server for it. */
export function LogprobsNote({ generation, missing }: Props) {
  const kind = useUpstreamKind(generation.upstream)
  // It gave some to others of its tokens: asking again would change nothing.
  if (missing === 'probability' && hasSome(generation))
    return <p class="note">Not given for this token; for others of this generation it is.</p>
  const { server, path, fields, note } = logprobsHelp(kind)
  return (
    <div class="logprobs-note" data-testid="logprobs-note">
      <p>
        {missing === 'probability'
          ? 'Not given by this server; ask for logprobs.'
          : 'No alternatives given; ask for top_logprobs.'}
      </p>
      <p class="note">
        {kind === null ? 'Most servers take' : `To ask ${server}, send`} this to <code>{path}</code>:
      </p>
      <p class="logprobs-fields">
        <code>{fields}</code>
        <CopyButton text={fields} label="fields of the request" />
      </p>
      {note === null ? null : <p class="note">{note}</p>}
    </div>
  )
}

function hasSome({ tokens }: Generation): boolean {
  for (let i = tokens.first; i < tokens.end; i++) if (!Number.isNaN(tokens.confidence(i))) return true
  return false
}

/** What kind of server it is; null until that is known, and where it never is. */
function useUpstreamKind(upstream: string | null): string | null {
  const [kind, setKind] = useState<string | null>(null)
  useEffect(() => {
    let left = false
    setKind(null)
    callServer<UpstreamEntry[]>('GET', '/scope/v1/upstreams').then(
      ({ data }) => {
        if (!left) setKind(data.find(({ label }) => label === upstream)?.kind ?? null)
      },
      // The words for any server are shown then, which hold for most.
      () => {},
    )
    return () => {
      left = true
    }
  }, [upstream])
  return kind
}
