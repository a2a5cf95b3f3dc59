/** What servers say of their models, in each one's form. Nothing here throws on what a server wrote. */

/** A value of JSON; undefined where there was none. */
export type Json = unknown

/**
 * The ids in a list as OpenAI has it, `{data: [{id}]}`.
 *
 * @returns null if it is no such list
 */
export function listedIds(body: Json): string[] | null {
  const data = field(body, 'data')
  return Array.isArray(data) ? data.flatMap(model => text(field(model, 'id'))) : null
}

/** Who owns the models of such a list, as it says. */
export function ownersIn(body: Json): string[] {
  const data = field(body, 'data')
  return Array.isArray(data) ? data.flatMap(model => text(field(model, 'owned_by'))) : []
}

/**
 * The models that LM Studio has in memory, by key and by the name of each instance, from `/api/v1/models`.
 *
 * @returns null if it is no such list
 */
export function lmStudioLoaded(body: Json): string[] | null {
  const models = field(body, 'models')
  if (!Array.isArray(models)) return null
  const loaded = models.flatMap(model => {
    const instances = field(model, 'loaded_instances')
    if (!Array.isArray(instances) || instances.length === 0) return []
    return [...text(field(model, 'key')), ...instances.flatMap(one => text(field(one, 'id')))]
  })
  // The first instance is named like its model.
  return [...new Set(loaded)]
}

/** Whether it is LM Studio's list of `/api/v1/models`: a server without models has an empty one. */
export function isLmStudioList(body: Json): boolean {
  const models = field(body, 'models')
  return Array.isArray(models) && models.every(model => Array.isArray(field(model, 'loaded_instances')))
}

/**
 * The same from the older `/api/v0/models`.
 *
 * @returns null if it is no such list
 */
export function lmStudioV0Loaded(body: Json): string[] | null {
  const data = field(body, 'data')
  if (!Array.isArray(data) || !data.every(model => typeof field(model, 'state') === 'string')) return null
  return data.filter(model => field(model, 'state') === 'loaded').flatMap(model => text(field(model, 'id')))
}

/**
 * The models that Ollama has in memory, from `/api/ps`.
 *
 * @returns null if it is no such list
 */
export function ollamaLoaded(body: Json): string[] | null {
  const models = field(body, 'models')
  return Array.isArray(models) ? models.flatMap(model => text(field(model, 'name'))) : null
}

/** Whether a list names a model: as it is, or with the tag that Ollama adds to a name without one. */
export function names(list: readonly string[], model: string): boolean {
  return list.includes(model) || list.includes(`${model}:latest`)
}

/** A field of an object; undefined where there is none. */
export function field(value: Json, name: string): Json {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function text(value: Json): string[] {
  return typeof value === 'string' ? [value] : []
}
