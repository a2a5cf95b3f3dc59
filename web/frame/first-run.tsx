import { useScope } from '../scope.ts'
import { baseUrl } from './base-url.ts'
import { CopyButton } from './copy-button.tsx'
import { IconClose } from './icons.tsx'

/** Three lines that show how to point an app here. */
export function FirstRunHint() {
  const { firstRun, health } = useScope()
  if (!firstRun.open.value) return null
  const url = baseUrl()
  const model = health.upstream.value.models?.[0] ?? 'your-model'
  const body = `{"model":"${model}","stream":true,"logprobs":true,"top_logprobs":5,"messages":[{"role":"user","content":"Hello"}]}`
  const lines = [
    { name: 'base URL', text: url },
    {
      name: 'curl',
      text: `curl -N ${url}/chat/completions -H 'content-type: application/json' -d '${body}'`,
    },
    { name: 'OpenAI SDK', text: `new OpenAI({ baseURL: '${url}', apiKey: 'any' })` },
  ]
  return (
    <section class="first-run float" data-testid="first-run" aria-label="How to point an app here">
      <header>
        <h2>Point an app here</h2>
        <button
          type="button"
          class="icon-button"
          aria-label="Close"
          title="Close; the help (?) brings it back"
          onClick={() => firstRun.dismiss()}
        >
          <IconClose />
        </button>
      </header>
      <ul>
        {lines.map(line => (
          <li key={line.name}>
            <span class="first-run-name">{line.name}</span>
            <code>{line.text}</code>
            <CopyButton text={line.text} label={line.name} />
          </li>
        ))}
      </ul>
    </section>
  )
}
