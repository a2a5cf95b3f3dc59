import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { visibleText } from '../invisible.ts'
import { useScope } from '../scope.ts'
import { IconBranch, IconCompare } from './icons.tsx'

interface Props {
  generation: Generation
  index: number
  /** What is between the words and the buttons, given what goes on with an alternative. */
  children: (take: ((text: string) => void) | undefined) => ComponentChildren
}

type Outcome =
  | { kind: 'asking' }
  | { kind: 'refused'; message: string }
  | { kind: 'began'; id: string; words: string }

/** Goes on from a token, or from another in its place: what can be asked, and what came of it. */
export function ContinueFrom({ generation, index, children }: Props) {
  const { compose, compared, panel, library } = useScope()
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const asking = useRef(false)

  const go = async (alternative?: string) => {
    if (asking.current) return
    asking.current = true
    setOutcome({ kind: 'asking' })
    const words =
      alternative === undefined
        ? `Going on after token ${index + 1}.`
        : `Going on with “${visibleText(alternative)}” instead.`
    try {
      setOutcome({ kind: 'began', id: await compose.continueFrom(generation.id, index, alternative), words })
    } catch (error) {
      setOutcome({ kind: 'refused', message: (error as Error).message })
    }
    asking.current = false
  }
  const compareWith = (id: string) => {
    compared.value = [generation.id, id]
    panel.value = 'compare'
  }
  return (
    <>
      {children(text => void go(text))}
      <div class="token-actions">
        <button
          type="button"
          class="action"
          data-testid="continue"
          disabled={outcome?.kind === 'asking'}
          title="Ask the model for another end, from after this token"
          onClick={() => void go()}
        >
          <IconBranch /> continue from here
        </button>
      </div>
      {outcome?.kind === 'refused' ? (
        <p class="error-words" data-tone="failed" role="alert">
          {outcome.message}
        </p>
      ) : null}
      {outcome?.kind === 'began' ? (
        <div class="began" role="status">
          <p>{outcome.words}</p>
          <p class="began-tools">
            <button type="button" class="action" onClick={() => void library.open(outcome.id)}>
              show it
            </button>
            <button
              type="button"
              class="action"
              data-testid="compare-both"
              onClick={() => compareWith(outcome.id)}
            >
              <IconCompare /> compare both
            </button>
          </p>
        </div>
      ) : null}
    </>
  )
}
