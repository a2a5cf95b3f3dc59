import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { IconClose } from '../frame/icons.tsx'
import { useScope } from '../scope.ts'
import { listedModels, NOTHING_SET, REASONING_WORDS } from './prompt-settings.ts'

interface Props {
  id: string
  models: readonly string[]
  onClose(): void
}

/** How a prompt is asked: which models, in which role, how freely. What is empty is left to the server. */
export function PromptPanel({ id, models, onClose }: Props) {
  const { compose } = useScope()
  const panel = useRef<HTMLFieldSetElement>(null)
  const settings = compose.settings.value
  const { model, other } = listedModels(settings, models)
  const first = model === '' && models.length === 1 ? models[0] : model

  useEffect(() => panel.current?.querySelector('select')?.focus(), [])

  return (
    <fieldset
      ref={panel}
      id={id}
      class="prompt-panel float"
      data-testid="prompt-panel"
      onKeyDown={event => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        onClose()
      }}
    >
      <legend class="off-screen">How it is asked</legend>
      <div class="prompt-panel-tools">
        <button type="button" class="chip" onClick={() => compose.set(NOTHING_SET)}>
          reset
        </button>
        <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick={onClose}>
          <IconClose />
        </button>
      </div>
      <Row of="model" name="model">
        <select
          id="ask-model"
          value={model}
          onChange={event => compose.set({ model: event.currentTarget.value })}
        >
          <option value="">{models.length === 1 ? models[0] : 'server’s choice'}</option>
          {models.length > 1 ? models.map(name => <option key={name}>{name}</option>) : null}
        </select>
      </Row>
      <Row
        of="other-model"
        name="also ask"
        note="The same prompt goes to both, and their answers are compared."
      >
        <select
          id="ask-other-model"
          value={other}
          onChange={event => compose.set({ other: event.currentTarget.value })}
        >
          <option value="">no other model</option>
          {models.map(name => (
            <option key={name} value={name}>
              {name === first ? `${name} again` : name}
            </option>
          ))}
        </select>
      </Row>
      <Row of="system-prompt" name="system prompt" wide>
        <textarea
          id="ask-system-prompt"
          rows={2}
          placeholder="none"
          value={settings.system}
          onInput={event => compose.set({ system: event.currentTarget.value })}
        />
      </Row>
      <Row
        of="temperature"
        name="temperature"
        note="0 always takes the likeliest token, 2 is close to chance."
      >
        <input
          {...{ type: 'number', inputMode: 'decimal', min: '0', max: '2', step: 'any' }}
          id="ask-temperature"
          placeholder="auto"
          value={settings.temperature}
          onInput={event => compose.set({ temperature: event.currentTarget.value })}
        />
      </Row>
      <Row of="seed" name="seed" note="The same seed draws the same tokens, where the server keeps to it.">
        <input
          {...{ type: 'number', inputMode: 'numeric', step: '1' }}
          id="ask-seed"
          placeholder="random"
          value={settings.seed}
          onInput={event => compose.set({ seed: event.currentTarget.value })}
        />
      </Row>
      <Row of="max-tokens" name="tokens at most">
        <input
          {...{ type: 'number', inputMode: 'numeric', min: '1', step: '1' }}
          id="ask-max-tokens"
          placeholder="no limit"
          value={settings.maxTokens}
          onInput={event => compose.set({ maxTokens: event.currentTarget.value })}
        />
      </Row>
      <Row of="reasoning" name="reasoning" note="How much it thinks before it answers, where the model can.">
        <select
          id="ask-reasoning"
          value={settings.reasoning}
          onChange={event => compose.set({ reasoning: event.currentTarget.value })}
        >
          <option value="">auto</option>
          {REASONING_WORDS.map(([effort, words]) => (
            <option key={effort} value={effort}>
              {words}
            </option>
          ))}
        </select>
      </Row>
    </fieldset>
  )
}

interface RowProps {
  /** The end of its control's id. */
  of: string
  name: string
  note?: string
  wide?: boolean
  children: ComponentChildren
}

function Row({ of, name, note, wide, children }: RowProps) {
  return (
    <div class={wide ? 'ask-field ask-wide' : 'ask-field'} title={note}>
      <label class="ask-name" for={`ask-${of}`}>
        {name}
      </label>
      {children}
    </div>
  )
}
