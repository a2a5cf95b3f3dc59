import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { editRecord, Overtaken, readRecord } from '../records-api.ts'
import { type RailEntry, recordOf } from './rail-entry.ts'
import type { RailState } from './rail-state.ts'

/** As the records allow. */
const MOST_CHARACTERS = 200

/** A field in the place of an item's title, where it is named. Enter keeps the name, Escape does not. */
export function RenameField({ rail, entry }: { rail: RailState; entry: RailEntry }) {
  const field = useRef<HTMLInputElement>(null)
  const [name, setName] = useState(recordOf(entry)?.name ?? '')
  const [trouble, setTrouble] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  /** The name and the version that were seen; null: not yet. */
  const seen = useRef(recordOf(entry))
  // Before the next key comes: it is meant for the field.
  useLayoutEffect(() => field.current?.select(), [])

  const close = (refocus: boolean) => {
    if (rail.renaming.peek() !== entry.id) return
    rail.renaming.value = null
    if (refocus) rail.focus(entry.id)
  }
  const save = async () => {
    const wanted = name.trim() === '' ? null : name.trim()
    if (saving) return
    setSaving(true)
    try {
      seen.current ??= await readRecord(entry.id)
      if (seen.current === null) throw new Error('Nothing is recorded of it, so it can have no name.')
      if (seen.current.name !== wanted) await rename(wanted)
      close(true)
    } catch (error) {
      setTrouble((error as Error).message)
      setSaving(false)
    }
  }
  const rename = async (wanted: string | null): Promise<void> => {
    const { name: before, version } = seen.current as NonNullable<typeof seen.current>
    try {
      rail.renamed(await editRecord(entry.id, version, { name: wanted }))
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error
      seen.current = error.current
      rail.renamed(error.current)
      // Tags or note were changed, or the name to this one: nothing stands against it.
      if (error.current.name === wanted) return
      if (error.current.name === before) return rename(wanted)
      const now =
        error.current.name === null ? 'its name was taken away' : `it was named “${error.current.name}”`
      throw new Error(`Meanwhile ${now}. Enter keeps yours, Esc that.`)
    }
  }
  return (
    <span class="item-rename">
      <input
        ref={field}
        type="text"
        data-testid="rename"
        aria-label="Name of this generation"
        aria-invalid={trouble !== null}
        placeholder="name"
        autocomplete="off"
        maxLength={MOST_CHARACTERS}
        value={name}
        onInput={({ currentTarget }) => {
          setName(currentTarget.value)
          setTrouble(null)
        }}
        onBlur={() => close(false)}
        onKeyDown={event => {
          event.stopPropagation()
          if (event.key === 'Enter') void save()
          else if (event.key === 'Escape') close(true)
          else return
          event.preventDefault()
        }}
      />
      {trouble === null ? null : (
        <span class="item-rename-trouble float" role="alert">
          {trouble}
        </span>
      )}
    </span>
  )
}
