import type { ComponentReport } from '../../events/components.ts'

/** What `/readyz` of a server says of one of its parts. */
export async function componentOf(url: string, name: string): Promise<ComponentReport> {
  const answer = await fetch(`${url}/readyz`, { headers: { accept: 'application/json' } })
  const { components } = (await answer.json()).data as { components: ComponentReport[] }
  const found = components.find(one => one.name === name)
  if (found === undefined) throw new Error(`there is no ${name} among the parts of ${url}`)
  return found
}
