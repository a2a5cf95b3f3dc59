import { LAYOUTS, type LayoutName } from '../../broadcast/protocol/view.ts'
import { useScope } from '../scope.ts'

const TITLES: Record<LayoutName, string> = {
  map: 'One cell a token; what is near in the text is near here',
  flow: 'The text itself, a panel for each generation',
  timeline: 'When each token came, a lane for each generation',
}

/** Chooses how tokens are laid out. */
export function LayoutSwitch() {
  const { look } = useScope()
  return (
    // biome-ignore lint/a11y/useSemanticElements: fieldsets are for forms, and are laid out in a way of their own
    <div class="layout-switch button-group" role="group" aria-label="Layout">
      {LAYOUTS.map((layout, i) => (
        <button
          key={layout}
          type="button"
          data-testid={`layout-${layout}`}
          aria-pressed={look.layout.value === layout}
          title={`${TITLES[layout]} (${i + 1})`}
          onClick={() => {
            look.layout.value = layout
          }}
        >
          {layout}
        </button>
      ))}
    </div>
  )
}
