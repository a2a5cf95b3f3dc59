import { useEffect, useRef, useState } from 'preact/hooks'
import { IconSend, IconSliders } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { PromptPanel } from './prompt-panel.tsx'
import { summaryOf } from './prompt-settings.ts'

const TALLEST = 160
const PANEL = 'prompt-panel'

/** The prompt: one line that grows. Enter sends, Shift+Enter makes a new line, arrows bring back what was sent. */
export function PromptBar() {
  const { health, compose } = useScope()
  const area = useRef<HTMLTextAreaElement>(null)
  const toggle = useRef<HTMLButtonElement>(null)
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)
  const [sending, setSending] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const [leftOut, setLeftOut] = useState<readonly string[]>([])
  const models = health.upstream.value.models ?? []
  const summary = summaryOf(compose.settings.value, models)

  useEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${Math.min(TALLEST, element.scrollHeight)}px`
  }, [text])

  const quiet = () => {
    setTrouble(null)
    setLeftOut([])
  }

  const send = async () => {
    if (sending || text.trim() === '') return
    setSending(true)
    quiet()
    try {
      const started = await compose.ask(text)
      setLeftOut([...new Set(started.flatMap(one => one.leftOut))])
      // What was typed meanwhile is the next prompt.
      setText(now => (now === text ? '' : now))
    } catch (error) {
      setTrouble((error as Error).message)
    }
    setSending(false)
  }

  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return
    if (event.key === 'Enter') {
      event.preventDefault()
      void send()
      return
    }
    if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
    const brought = compose.history.step(event.key === 'ArrowUp' ? -1 : 1, text)
    if (brought === null) return
    event.preventDefault()
    setText(brought)
    quiet()
  }

  const close = () => {
    setOpen(false)
    toggle.current?.focus()
  }

  return (
    <form
      class="prompt-bar"
      aria-label="Ask"
      // What a value must be is the server's to say.
      noValidate
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      <div class="prompt-above">
        {trouble === null ? null : (
          <p class="prompt-word prompt-trouble" role="alert">
            {trouble}
          </p>
        )}
        {leftOut.length === 0 ? null : (
          <p class="prompt-word" role="status">
            This server takes no {leftOut.join(', no ')} where it is asked, so it was not told.
          </p>
        )}
        {open ? <PromptPanel id={PANEL} models={models} onClose={close} /> : null}
      </div>
      <textarea
        ref={area}
        id="prompt"
        class="prompt-text"
        data-testid="prompt"
        aria-label="Prompt"
        placeholder="Ask the model something"
        rows={1}
        value={text}
        onInput={event => {
          setText(event.currentTarget.value)
          quiet()
        }}
        onKeyDown={onKey}
      />
      <div class="prompt-tools">
        <button
          ref={toggle}
          type="button"
          class="prompt-settings"
          data-testid="prompt-settings"
          aria-expanded={open}
          aria-controls={PANEL}
          aria-label={`How it is asked: ${summary.join(', ')}`}
          title="How it is asked"
          onClick={() => setOpen(!open)}
        >
          <span class="prompt-summary">
            {/* The space keeps them words of their own for who hears them. */}
            {summary.map((words, i) => [
              i === 0 ? null : ' ',
              <span key={i} class={i === 0 ? 'prompt-model' : ''}>
                {words}
              </span>,
            ])}
          </span>
          <IconSliders />
        </button>
        <button
          type="submit"
          class="send"
          data-testid="send"
          disabled={sending || text.trim() === ''}
          title="Send (Enter)"
        >
          <span class="send-word">send</span> <IconSend />
        </button>
      </div>
    </form>
  )
}
