import { useEffect, useState } from 'preact/hooks'
import { formatCount } from '../format.ts'
import { type Imported, importRecords } from '../records-api.ts'
import { useScope } from '../scope.ts'
import { IconClose } from './icons.tsx'

/** How taking in files stands, or what came of it. */
type Outcome =
  | { kind: 'reading'; words: string }
  | { kind: 'done'; words: string; first: string | null }
  | { kind: 'failed'; words: string }

/** Takes in recordings that are dropped onto the page, and says what came of it. */
export function DropImport() {
  const { library } = useScope()
  const [over, setOver] = useState(false)
  const [outcome, setOutcome] = useState<Outcome | null>(null)

  useEffect(() => {
    const listening = new AbortController()
    const { signal } = listening
    const listen = (name: 'dragover' | 'dragleave' | 'drop', then: (event: DragEvent) => void) =>
      window.addEventListener(
        name,
        event => {
          // Text that is dragged into a field is no recording.
          if (!event.dataTransfer?.types.includes('Files')) return
          event.preventDefault()
          then(event)
        },
        { signal },
      )
    listen('dragover', () => setOver(true))
    listen('dragleave', ({ relatedTarget }) => {
      if (relatedTarget === null) setOver(false)
    })
    listen('drop', ({ dataTransfer }) => {
      setOver(false)
      void take([...(dataTransfer?.files ?? [])])
    })
    return () => listening.abort()
  }, [])

  const take = async (files: File[]) => {
    const all: Imported = { imported: [], present: [] }
    for (const file of files) {
      setOutcome({ kind: 'reading', words: `Taking in ${file.name} …` })
      try {
        const { imported, present } = await importRecords(file)
        all.imported.push(...imported)
        all.present.push(...present)
      } catch (error) {
        // Those before it are there.
        library.arrivals.value++
        setOutcome({ kind: 'failed', words: `${file.name} was not taken in. ${(error as Error).message}` })
        return
      }
    }
    library.arrivals.value++
    setOutcome({ kind: 'done', words: importedWords(all), first: all.imported[0] ?? all.present[0] ?? null })
  }

  return (
    <>
      {over ? (
        <p class="drop-sign float" data-testid="drop-sign">
          Drop recordings (.jsonl) to take them in
        </p>
      ) : null}
      {outcome === null ? null : (
        <p
          class="notice float"
          data-tone={outcome.kind === 'failed' ? 'failed' : 'quiet'}
          role={outcome.kind === 'failed' ? 'alert' : 'status'}
          data-testid="import-notice"
        >
          <span class="error-words">{outcome.words}</span>
          {outcome.kind === 'done' && outcome.first !== null ? (
            <button type="button" class="chip" onClick={() => void library.open(outcome.first as string)}>
              show
            </button>
          ) : null}
          {outcome.kind === 'reading' ? null : (
            <button type="button" class="icon-button" aria-label="Close" onClick={() => setOutcome(null)}>
              <IconClose />
            </button>
          )}
        </p>
      )}
    </>
  )
}

function importedWords({ imported, present }: Imported): string {
  const words = (count: number) => `${formatCount(count)} ${count === 1 ? 'recording' : 'recordings'}`
  if (imported.length === 0 && present.length === 0) return 'There was no recording in it.'
  const taken = imported.length === 0 ? '' : `${words(imported.length)} taken in.`
  const known =
    present.length === 0
      ? ''
      : `${words(present.length)} ${present.length === 1 ? 'was' : 'were'} here already.`
  return [taken, known].filter(Boolean).join(' ')
}
