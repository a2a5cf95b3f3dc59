import { useMemo } from 'preact/hooks'
import { formatPercent } from '../format.ts'
import type { Generation } from '../generation.ts'
import { FlowText } from '../inspector/flow-text.tsx'
import { type TokenInk, tokenColour } from '../inspector/token-colour.ts'
import { TokenText } from '../inspector/token-text.tsx'
import { useTokenInk } from '../inspector/use-token-ink.ts'
import { type Slot, tokensBefore } from './alignment.ts'
import type { Piece } from './column.ts'
import { type Comparison, LETTERS, pieceAt } from './comparison.ts'
import { partingWords } from './comparison-words.ts'
import type { Stretch } from './stretches.ts'

interface RowProps {
  comparison: Comparison
  stretch: Stretch
  /** The slot that is looked at, if it is in this row. */
  chosen: number | null
  /** The column of the token that is looked at. */
  column: number
}

/** A stretch of the texts, each in its column. */
export function CompareRow({ comparison, stretch, chosen, column }: RowProps) {
  const { from, to, same } = stretch
  return (
    <div class="compare-row" data-same={same} data-from={from} data-to={to}>
      {comparison.generations.map((generation, of) => (
        <CompareCell
          key={generation.id}
          comparison={comparison}
          of={of}
          from={from}
          to={to}
          chosen={chosen}
          isChosen={of === column}
        />
      ))}
    </div>
  )
}

interface CellProps {
  comparison: Comparison
  of: number
  from: number
  to: number
  chosen: number | null
  isChosen: boolean
}

/** One text of a stretch: each token underlined in its colour, and tinted where it differs. */
function CompareCell({ comparison, of, from, to, chosen, isChosen }: CellProps) {
  const generation = comparison.generations[of] as Generation
  const { color, scale, now, model } = useTokenInk(generation)
  const slots = comparison.slots.slice(from, to)
  const pieces = slots.map((_, i) => pieceAt(comparison, from + i, of))
  // While tokens come all is laid beside each other anew, and most of it is as it was.
  const state = slots.map(({ at, same }, i) => `${at}${same}${pieces[i]?.held}${pieces[i]?.given}`).join()
  const mine = isChosen ? chosen : null
  // `state` says what is in the slots
  return useMemo(() => {
    const ink = { color, scale, now, model }
    const spans = slots.map(({ at, same }, i) => {
      const slot = from + i
      const piece = pieces[i] ?? null
      // A place to go to where this text has nothing.
      if (piece === null)
        return <span key={slot} data-slot={slot} class="compare-none" data-beside={slot === chosen} />
      return (
        <ComparePiece
          key={slot}
          piece={piece}
          colour={colourOfPiece(piece, ink)}
          data-slot={slot}
          data-of={of}
          data-differs={same ? undefined : agreesWithAnother(comparison.texts, at, of) ? 'some' : 'all'}
          data-chosen={slot === mine}
          data-beside={slot === chosen && slot !== mine}
        />
      )
    })
    return (
      <p class="compare-cell" data-letter={LETTERS[of]} data-testid={`compare-${LETTERS[of]}`}>
        {spans}
      </p>
    )
  }, [generation, of, state, from, chosen, mine, color, scale, now, model])
}

interface PieceProps {
  piece: Piece
  colour: string | null
  'data-slot': number
  'data-of': number
  'data-differs': string | undefined
  'data-chosen': boolean
  'data-beside': boolean
}

function ComparePiece({ piece, colour, ...data }: PieceProps) {
  const { by, index, text, given, held } = piece
  const words = !held
    ? 'not held on this page'
    : given
      ? by === null
        ? 'put in, for the model to go on with'
        : 'given to the model to go on with'
      : undefined
  return (
    <span
      {...data}
      class={held ? 'flow-token' : 'flow-gap'}
      title={words}
      data-given={given}
      data-kind={by?.tokens.kind(index)}
      data-unknown={!given && colour === null}
      style={colour === null ? {} : { '--token': colour }}
    >
      <FlowText text={text} />
    </span>
  )
}

/** What was given was not said here: it has no colour. */
function colourOfPiece({ by, index, given, held }: Piece, ink: TokenInk): string | null {
  return by === null || given || !held ? null : tokenColour(by.tokens, index, ink)
}

/** Whether one of the others says the same here. */
function agreesWithAnother(texts: Comparison['texts'], at: Slot['at'], of: number): boolean {
  const mine = texts[of]?.[at[of] ?? -1]
  return at.some((index, other) => other !== of && index !== null && texts[other]?.[index] === mine)
}

/** The place where they part: what each said there, and how sure it was. */
export function ComparePartingRow({ comparison, slot }: { comparison: Comparison; slot: number }) {
  const { generations, columns, slots } = comparison
  return (
    <div class="compare-parting" data-testid="compare-parting">
      <p class="compare-parting-words">{partingWords(comparison)}</p>
      <div class="compare-parting-tokens">
        {generations.map(({ id, live }, of) => {
          // What it says next, which may stand further down beside the same word of another.
          const piece = columns[of]?.[tokensBefore(slots, slot, of)]
          const confidence = piece?.by?.tokens.detail(piece.index)?.confidence ?? null
          return (
            <p key={id} class="compare-parting-token">
              <span class="compare-letter">{LETTERS[of]}</span>
              {piece === undefined ? (
                <span class="note">{live ? 'not there yet' : 'ends here'}</span>
              ) : (
                <>
                  <TokenText text={piece.text} />
                  <span class="compare-parting-p">
                    {piece.by === null
                      ? 'put in'
                      : confidence === null
                        ? 'probability not given'
                        : formatPercent(confidence)}
                  </span>
                </>
              )}
            </p>
          )
        })}
      </div>
    </div>
  )
}
