import { useLayoutEffect, useRef } from 'preact/hooks'
import { KEYS } from '../keys.ts'
import { useScope } from '../scope.ts'
import { IconClose } from './icons.tsx'

/** All keys, over everything. The browser keeps the focus in it, and gives it back; Esc and a press beside it close it. */
export function HelpSheet() {
  const { help, firstRun } = useScope()
  const sheet = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const dialog = sheet.current
    dialog?.showModal()
    dialog?.focus()
    // Closed before it goes: so the focus returns to where it was.
    return () => dialog?.close()
  }, [])
  const close = () => {
    help.value = false
  }
  return (
    <dialog
      ref={sheet}
      tabIndex={-1}
      class="help-sheet float"
      data-testid="help-sheet"
      aria-label="Help"
      onClose={close}
      // Its content covers all of it: what is pressed of the dialog itself lies beside it.
      onClick={({ target, currentTarget }) => target === currentTarget && close()}
      onKeyDown={event => {
        if (event.key === '?') close()
        event.stopPropagation()
      }}
    >
      <div class="help-body">
        <header class="panel-head">
          <h2>Keys</h2>
          <span class="panel-tools">
            <button
              type="button"
              class="chip"
              data-testid="point-here"
              onClick={() => {
                close()
                firstRun.show()
              }}
            >
              point an app here
            </button>
            <a class="chip" href="/scope/v1/docs" target="_blank" rel="noreferrer">
              the API
            </a>
            <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick={close}>
              <IconClose />
            </button>
          </span>
        </header>
        <div class="help-groups">
          {KEYS.map(({ name, lines }) => (
            <section key={name}>
              <h3>{name}</h3>
              <dl>
                {lines.map(({ keys, does }) => (
                  <div key={does}>
                    <dt>
                      {keys.map(key => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                    </dt>
                    <dd>{does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </div>
    </dialog>
  )
}
