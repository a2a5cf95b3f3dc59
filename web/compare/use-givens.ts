import { useEffect, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { readRecord } from '../records-api.ts'
import { useScope } from '../scope.ts'
import { type Given, givenBy } from './column.ts'

/** Of those that go on from others: what they were given to go on with, by id. */
export function useGivens(generations: readonly Generation[]): ReadonlyMap<string, Given> {
  const { library } = useScope()
  const [givens, setGivens] = useState<ReadonlyMap<string, Given>>(new Map())
  // What is recorded of one that has only just begun may not be there yet: it is asked for again when it is over.
  const wanted = generations.filter(({ parent, id }) => parent !== null && !givens.has(id))
  const state = wanted.map(({ id, live, tokens }) => `${id} ${live} ${tokens.held > 0}`).join()

  useEffect(() => {
    let left = false
    const look = async (generation: Generation) => {
      const given = givenBy((await readRecord(generation.id))?.request?.body ?? null)
      if (given === null || generation.parent === null) return
      const parent = await library.bring(generation.parent)
      if (left) return
      setGivens(now => new Map(now).set(generation.id, { text: given, parent }))
      if (parent !== null && parent.parent !== null) await look(parent)
    }
    // Where that cannot be read its own tokens are compared: the words of the column say no more than that.
    for (const generation of wanted) look(generation).catch(() => {})
    return () => {
      left = true
    }
  }, [state, library])
  return givens
}
