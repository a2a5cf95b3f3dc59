import { useEffect, useState } from 'preact/hooks'
import { isFinal } from '../../events/generation.ts'
import { endingWords, formatRate, stateWords } from '../format.ts'
import type { Generation } from '../generation.ts'
import { useScope } from '../scope.ts'

/** Oftener than this nobody can listen. */
const EACH_MS = 3000

/** Tells who cannot see the page what happens, politely: beginnings and ends, never single tokens. */
export function Announcer() {
  const { store } = useScope()
  const [words, setWords] = useState('')

  useEffect(() => {
    let waiting: string | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => {
      timer = undefined
      if (waiting === null) return
      setWords(waiting)
      waiting = null
      timer = setTimeout(flush, EACH_MS)
    }
    const say = (sentence: string) => {
      waiting = sentence
      if (timer === undefined) flush()
    }
    const stop = store.listen({
      began: generation => say(`${generation.model ?? 'A model'} begins.`),
      changed: generation => {
        if (isFinal(generation.state)) say(endOf(generation, store.now))
      },
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [store])

  return (
    <p class="off-screen" role="status" aria-live="polite" data-testid="announcer">
      {words}
    </p>
  )
}

function endOf(generation: Generation, now: number): string {
  const ending = endingWords(generation.ending)
  const how = [stateWords(generation.state), ending].filter(Boolean).join(', ')
  const rate = generation.rate(now)
  const speed = rate === null ? '' : `, ${formatRate(rate)} tokens a second`
  return `${generation.model ?? 'A model'}: ${how}, ${generation.tokensProcessed} tokens${speed}.`
}
