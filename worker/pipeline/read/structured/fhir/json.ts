/** Looking into JSON of which nothing is known: what is not there, or is of another kind, is empty. */
export type Json = { readonly [name: string]: unknown }

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value
  for (const name of path) found = isJson(found) && Object.hasOwn(found, name) ? found[name] : undefined
  return found
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path)
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : ''
}

/** A list as such, one thing as a list of one: R4 and R5 differ in many fields by no more than this. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  if (found === undefined || found === null) return []
  return Array.isArray(found) ? found : [found]
}
