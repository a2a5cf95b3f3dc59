/** Reads token ids from a request. */
import type { Tokenizer } from '../model/tokenizer.ts'
import { bad } from './fields.ts'

/** An array of ids of the tokenizer. Throws a TokenscopeError BAD_REQUEST that names the field, `at`. */
export function tokenIdsOf(value: unknown, at: string, tokenizer: Tokenizer): number[] {
  if (!Array.isArray(value)) throw bad(`${at} must be an array of token ids`, at)
  return value.map((id: unknown, i) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < tokenizer.size) return id
    throw bad(`${at}[${i}] must be a token id from 0 to ${tokenizer.size - 1}`, at)
  })
}
