import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Generation } from '../generation.ts'
import { editRecord, type GenerationRecord, Overtaken } from '../records-api.ts'
import { useScope } from '../scope.ts'

/** As the records allow. */
const MOST_TAGS = 50
const TAG_CHARACTERS = 50
const NOTE_CHARACTERS = 10_000

/** Tags and note of a recorded generation, and the way to write them. */
export function RecordNotes({ generation }: { generation: Generation }) {
  const [editing, setEditing] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)
  useEffect(() => setEditing(false), [generation])
  generation.revision.value // read: it may be recorded only after it was chosen
  const { record } = generation
  if (record === null) return null
  const { tags, note } = record
  const bare = tags.length === 0 && note === null
  if (editing)
    return (
      <NotesForm
        generation={generation}
        record={record}
        onClose={() => {
          setEditing(false)
          requestAnimationFrame(() => opener.current?.focus({ preventScroll: true }))
        }}
      />
    )
  return (
    <div class="record-notes" data-testid="record-notes">
      {tags.length === 0 ? null : <p class="record-tags">{tags.map(tag => `#${tag}`).join(' ')}</p>}
      {note === null ? null : <p class="record-note">{note}</p>}
      <button
        ref={opener}
        type="button"
        class="text-button record-edit"
        data-testid="edit-notes"
        onClick={() => setEditing(true)}
      >
        {bare ? 'add tags or a note' : 'edit'}
      </button>
    </div>
  )
}

interface FormProps {
  generation: Generation
  record: GenerationRecord
  onClose(): void
}

/** Enter in the tags and Ctrl+Enter in the note keep what was written, Escape does not. */
function NotesForm({ generation, record, onClose }: FormProps) {
  const { store } = useScope()
  const [tags, setTags] = useState(record.tags.join(', '))
  const [note, setNote] = useState(record.note ?? '')
  const [trouble, setTrouble] = useState<string | null>(null)
  const [saving, setSaving] = useState(false)
  /** What was seen before it was written over. */
  const seen = useRef(record)
  const first = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => first.current?.focus({ preventScroll: true }), [])

  const save = async () => {
    const wanted = { tags: tagsIn(tags), note: note.trim() === '' ? null : note.trim() }
    const wrong = wrongIn(wanted.tags)
    if (wrong !== null || saving) return setTrouble(wrong)
    setSaving(true)
    try {
      store.note(await editRecord(generation.id, seen.current.version, wanted))
      onClose()
    } catch (error) {
      setSaving(false)
      if (!(error instanceof Overtaken)) return setTrouble((error as Error).message)
      const { current } = error
      const { tags: tagsBefore, note: noteBefore } = seen.current
      const untouched = current.tags.join('\n') === tagsBefore.join('\n') && current.note === noteBefore
      seen.current = current
      store.note(current)
      // It was named meanwhile: nothing stands against these.
      if (untouched) return save()
      const now = [current.tags.map(tag => `#${tag}`).join(' ') || 'no tags', current.note ?? 'no note']
      setTrouble(`Meanwhile it was changed to: ${now.join('; ')}. Save keeps yours, cancel that.`)
    }
  }
  return (
    <form
      class="record-form"
      data-testid="notes-form"
      onSubmit={event => {
        event.preventDefault()
        void save()
      }}
      onKeyDown={event => {
        event.stopPropagation()
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void save()
        else if (event.key === 'Escape') onClose()
      }}
    >
      <label>
        <span>tags, with commas between them</span>
        <input
          ref={first}
          type="text"
          autocomplete="off"
          value={tags}
          onInput={({ currentTarget }) => setTags(currentTarget.value)}
        />
      </label>
      <label>
        <span>note</span>
        <textarea
          rows={3}
          maxLength={NOTE_CHARACTERS}
          value={note}
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
        />
      </label>
      {trouble === null ? null : (
        <p class="error-words" data-tone="failed" role="alert">
          {trouble}
        </p>
      )}
      <p class="record-answers">
        <button type="submit" class="action" disabled={saving}>
          save
        </button>
        <button type="button" class="action" onClick={onClose}>
          cancel
        </button>
      </p>
    </form>
  )
}

/** Tags as they are typed: with commas between them, with `#` or without, each once. */
function tagsIn(text: string): string[] {
  const tags = text.split(',').map(tag => tag.trim().replace(/^#/, ''))
  return [...new Set(tags.filter(tag => tag !== ''))]
}

function wrongIn(tags: readonly string[]): string | null {
  if (tags.length > MOST_TAGS) return `There can be ${MOST_TAGS} tags at most.`
  const long = tags.find(tag => tag.length > TAG_CHARACTERS)
  return long === undefined
    ? null
    : `“${long}” is longer than the ${TAG_CHARACTERS} characters a tag may have.`
}
