import { useEffect, useRef, useState } from 'preact/hooks'
import { IconSend } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { type PromptRequest, startGeneration } from '../server-api.ts'
import { TemperatureField } from './temperature-field.tsx'

const TALLEST = 160

/** The prompt: one line that grows. Enter sends, Shift+Enter makes a new line. */
export function PromptBar() {
  const { health, firstRun, map } = useScope()
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState('')
  const [temperature, setTemperature] = useState('')
  const [model, setModel] = useState('')
  const [sending, setSending] = useState(false)
  const [trouble, setTrouble] = useState<string | null>(null)
  const models = health.upstream.value.models ?? []

  useEffect(() => {
    const element = area.current
    if (!element) return
    element.style.height = 'auto'
    element.style.height = `${Math.min(TALLEST, element.scrollHeight)}px`
  }, [text])

  const send = async () => {
    const prompt = text.trim()
    if (sending || prompt === '') return
    const request: PromptRequest = { prompt: text }
    const heat = Number.parseFloat(temperature)
    if (Number.isFinite(heat)) request.temperature = heat
    if (model !== '' && models.includes(model)) request.model = model
    setSending(true)
    setTrouble(null)
    try {
      await firstRun.ours(startGeneration(request))
      // What was typed meanwhile is the next prompt.
      setText(now => (now === text ? '' : now))
      map.value?.follow()
    } catch (error) {
      setTrouble((error as Error).message)
    }
    setSending(false)
  }

  return (
    <form
      class="prompt-bar"
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      {trouble === null ? null : (
        <p class="prompt-trouble" role="alert">
          {trouble}
        </p>
      )}
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
          setTrouble(null)
        }}
        onKeyDown={event => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
          event.preventDefault()
          void send()
        }}
      />
      <div class="prompt-tools">
        {models.length > 1 ? (
          <label class="field field-model">
            <span class="field-name">model</span>
            <select value={model} onChange={event => setModel(event.currentTarget.value)}>
              <option value="">server’s choice</option>
              {models.map(name => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <span class="field field-model" title={models[0] ?? ''}>
            <span class="field-name">model</span>
            <span class="field-value">{models[0] ?? '–'}</span>
          </span>
        )}
        <TemperatureField value={temperature} onChange={setTemperature} />
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
