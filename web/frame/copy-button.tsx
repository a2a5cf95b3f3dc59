import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { IconCheck, IconClose, IconCopy } from './icons.tsx'

interface Props {
  /** A function is asked when it is copied: for what changes all the time. */
  text: string | (() => string)
  label: string
  class?: string
  /** Shows the label as text; else it is for screen readers only. */
  shown?: boolean
  /** The sign of what is copied, where it is not plain text. */
  icon?: ComponentChildren
}

const SAID_MS = 1600
/** A text that is shown whole to whoever rests on the button, in UTF-16 units. */
const SHOWN_UP_TO = 200
const WORDS = { copied: 'Copied', refused: 'The browser refused to copy' }

/** Copies `text` and says so, or that the browser would not. */
export function CopyButton({ text, label, class: className, shown, icon }: Props) {
  const [result, setResult] = useState<'copied' | 'refused' | null>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const copy = async () => {
    setResult((await toClipboard(typeof text === 'string' ? text : text())) ? 'copied' : 'refused')
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setResult(null), SAID_MS)
  }
  return (
    <button
      type="button"
      class={`copy ${className ?? ''}`}
      data-copied={result === 'copied'}
      data-refused={result === 'refused'}
      title={`Copy ${typeof text === 'string' && text.length <= SHOWN_UP_TO ? text : label}`}
      aria-label={result === null ? `Copy ${label}` : WORDS[result]}
      onClick={copy}
    >
      {result === null ? (icon ?? <IconCopy />) : result === 'copied' ? <IconCheck /> : <IconClose />}
      {shown ? <span>{label}</span> : null}
    </button>
  )
}

/** Puts a text on the clipboard; false where the browser refuses. */
export async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without a secure context, as on a LAN address, there is no clipboard but this old way.
    const focused = document.activeElement
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'off-screen'
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true })
    return done
  }
}
