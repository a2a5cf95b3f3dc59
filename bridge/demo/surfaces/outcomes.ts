/** Questions that several surfaces have about what has become of an answer. */
import type { TokenKind } from '../../../events/generation.ts'
import type { AnswerToken, ChoiceOutcome, Outcome, Part } from '../surface.ts'

/** The text that tokens add to an answer. */
export function joined(tokens: readonly AnswerToken[]): string {
  return tokens.map(({ delivered }) => delivered).join('')
}

/** The first choice, the only one of surfaces that have no others. */
export function onlyChoice(outcome: Outcome): ChoiceOutcome {
  return outcome.choices[0] as ChoiceOutcome
}

/** The text of all parts of a kind of the only choice. */
export function textOf(outcome: Outcome, kind: TokenKind): string {
  return tokensOf(outcome, kind)
    .map(({ delivered }) => delivered)
    .join('')
}

/** The tokens of all parts of a kind of the only choice. */
export function tokensOf(outcome: Outcome, kind: TokenKind): AnswerToken[] {
  return onlyChoice(outcome)
    .parts.filter(({ part }) => part.kind === kind)
    .flatMap(({ tokens }) => tokens)
}

/** Whether these tokens are the whole call of a part: an answer can be cut off in it. */
export function isWholeCall({ tool }: Part, tokens: readonly AnswerToken[]): boolean {
  return tool !== undefined && joined(tokens) === tool.arguments
}

/** Tokens generated so far, of all choices. */
export function generatedCount(outcome: Outcome): number {
  return outcome.choices.reduce((sum, { count }) => sum + count, 0)
}

/** Tokens per second; 0 where no time has passed, as after a single token. */
export function rate(count: number, milliseconds: number): number {
  return milliseconds > 0 ? (count / milliseconds) * 1000 : 0
}
