import type { Generation } from '../generation.ts'
import { MOST_COMPARED } from '../rail/rail-state.ts'
import { useScope } from '../scope.ts'
import { IconCompare } from './icons.tsx'

/** Puts a generation beside others, or takes it away. The comparison opens once there are two. */
export function CompareToggle({ generation }: { generation: Generation }) {
  const { compared, panel } = useScope()
  const chosen = compared.value.includes(generation.id)
  const full = !chosen && compared.value.length >= MOST_COMPARED
  const others = compared.value.length - (chosen ? 1 : 0)
  const words = chosen
    ? 'Compare no longer'
    : full
      ? `${MOST_COMPARED} are compared already`
      : others === 0
        ? 'Compare: choose this as the first'
        : `Compare with ${others === 1 ? 'the one' : `the ${others}`} chosen before`
  const toggle = () => {
    const { id } = generation
    compared.value = chosen ? compared.value.filter(other => other !== id) : [...compared.value, id]
    if (!chosen && compared.value.length >= 2) panel.value = 'compare'
  }
  return (
    <button
      type="button"
      class="icon-button compare-toggle"
      data-testid="compare-toggle"
      aria-pressed={chosen}
      disabled={full}
      title={words}
      aria-label={words}
      onClick={toggle}
    >
      <IconCompare />
    </button>
  )
}
