/** What a scanner of JavaScript has opened and not closed yet. */
export const PAREN = 1
/** Parentheses of `if`, `while` and the like, which a statement follows. */
export const CONDITION = 2
export const BRACKET = 3
export const BLOCK = 4
export const OBJECT = 5
export const FUNCTION = 6
/** The hole of a template. */
export const TEMPLATE = 7
/** A function that is an expression, from behind `=>`. */
export const ARROW = 8
/** JSX: a tag, what stands between two tags, and braces in either. */
export const TAG = 9
export const CHILDREN = 10
export const HOLE = 11

/** What a scanner has behind it, as far as it tells what can follow: a value; a value in parentheses; … */
export const VALUE = 0
export const CLOSED = 1
/** … something that a value must follow; the end of a statement; `=>`. From here on `/` begins a regular expression. */
export const OPERATOR = 2
export const STATEMENT = 3
export const BODY = 4
