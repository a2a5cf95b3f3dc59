import { useEffect, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'

/** A generation that is to be compared: here, on its way, or why it is not. */
export interface Compared {
  id: string
  generation: Generation | null
  trouble: string | null
}

/** The generations that were chosen to be compared, with all their tokens as soon as those are read. */
export function useCompared(): Compared[] {
  const { compared, library, store } = useScope()
  const ids = compared.value
  const [brought, setBrought] = useState<ReadonlyMap<string, Compared>>(new Map())

  // By what is in it, not by which array it is
  useEffect(() => {
    let left = false
    for (const id of ids) {
      const put = (generation: Generation | null, trouble: string | null) => {
        if (!left) setBrought(now => new Map(now).set(id, { id, generation, trouble }))
      }
      library.bring(id).then(
        generation => put(generation, generation === null ? 'Nothing is recorded of it.' : null),
        error => put(null, (error as Error).message),
      )
    }
    return () => {
      left = true
    }
  }, [ids.join()])
  store.list.value // read: one that has only just begun is here before it can be read from the records
  return ids.map(id => {
    const known = store.get(id)
    const found = brought.get(id)
    if (known !== undefined) return { id, generation: known, trouble: null }
    return found ?? { id, generation: null, trouble: null }
  })
}
