import { useRef, useState } from 'preact/hooks'
import { IconCheck, IconCopy } from './icons.tsx'

interface Props {
  text: string
  label: string
  class?: string
  /** Shows the label as text; else it is for screen readers only. */
  shown?: boolean
}

const SAID_MS = 1600

/** Copies `text` and says so. */
export function CopyButton({ text, label, class: className, shown }: Props) {
  const [copied, setCopied] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const copy = async () => {
    await toClipboard(text)
    setCopied(true)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => setCopied(false), SAID_MS)
  }
  return (
    <button
      type="button"
      class={`copy ${className ?? ''}`}
      data-copied={copied}
      title={`Copy ${text}`}
      aria-label={copied ? 'Copied' : `Copy ${label}`}
      onClick={copy}
    >
      {copied ? <IconCheck /> : <IconCopy />}
      {shown ? <span>{label}</span> : null}
    </button>
  )
}

async function toClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Without a secure context, as on a LAN address, there is no clipboard but this old way.
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'off-screen'
    document.body.append(area)
    area.select()
    document.execCommand('copy')
    area.remove()
  }
}
