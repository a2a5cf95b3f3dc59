interface Props {
  value: string
  onChange(value: string): void
}

/** How freely the model draws its tokens; empty leaves it to the server. */
export function TemperatureField({ value, onChange }: Props) {
  return (
    <label class="field" title="Temperature, 0 to 2; empty leaves it to the server">
      <span class="field-name">temperature</span>
      <input
        type="number"
        data-testid="temperature"
        inputMode="decimal"
        min="0"
        max="2"
        step="0.1"
        placeholder="auto"
        value={value}
        onInput={event => onChange(event.currentTarget.value)}
      />
    </label>
  )
}
