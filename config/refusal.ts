import { TokenscopeError } from '../events/errors.ts'

/** The refusal of an option. */
export function bad(param: string, message: string): TokenscopeError {
  return new TokenscopeError('CONFIG', message, { param })
}
