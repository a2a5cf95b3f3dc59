/** Words of the arrays that `flow` works on (flow.ts); shaders/flow.wgsl has the same numbers. */

/** Words of a state: of a generation's carry, at `slot * CARRY_WORDS`, and of a fragment, at `FRAGMENT_STATE`. */
export const CARRY_WORDS = 8
/** Column where the text goes on, 0 … width. */
export const CARRY_COLUMN = 0
/** Line where it goes on. */
export const CARRY_LINE = 1
/** Column where the open word begins, plus 1; 0: none is open. */
export const CARRY_WORD = 2
/** How many tokens, back from the last, have their place in the open word and move with it; any number if none is open. */
export const CARRY_WORD_TOKENS = 3
/** Where the word began that {@link CARRY_PATCHED} tokens moved with: so much goes off their columns. */
export const CARRY_PATCH_COLUMN = 4
/**
 * How many tokens before the first of the last call's job (or of the generation in the page) moved with their
 * word: their columns become less by {@link CARRY_PATCH_COLUMN}, their lines more by 1, which is left to the caller.
 */
export const CARRY_PATCHED = 5

/** Words of a job. */
export const JOB_WORDS = 4
export const JOB_SLOT = 0
/** Place in the page of its first token. */
export const JOB_FIRST = 1
/** Its tokens, which go on in the generation's next chunks of the same page. At most one job a generation in a call. */
export const JOB_COUNT = 2
/** Told: the same as {@link CARRY_PATCHED}. */
export const JOB_PATCHED = 3

/**
 * Words of a fragment. A generation's fragments within a page stand together, in the order of the text. The
 * first ({@link FRAGMENT_OPENS}) goes on from the carry; every other begins after the last line feed of the token
 * at which the one before it ended. All but the last ({@link FRAGMENT_CLOSES}) end with the last line feed of
 * their last token, which has one.
 */
export const FRAGMENT_WORDS = 12
export const FRAGMENT_SLOT = 0
/** Place in the page: of its first token if it opens, else of the token after whose last line feed it begins. */
export const FRAGMENT_FIRST = 1
/** Tokens whose places it gives: from its first one if it opens, else from the one after that. */
export const FRAGMENT_COUNT = 2
/** Bits {@link FRAGMENT_OPENS} and {@link FRAGMENT_CLOSES}. */
export const FRAGMENT_FLAGS = 3
/** State at its end: the first six words of a carry. Its line is the fragment's own until `flowNumber`. */
export const FRAGMENT_STATE = 4
/** Line of the generation on which it begins; told by `flowNumber`. */
export const FRAGMENT_BASE = 10

/** It is its generation's first in the page. */
export const FRAGMENT_OPENS = 1
/** It is its generation's last in the page. */
export const FRAGMENT_CLOSES = 2
