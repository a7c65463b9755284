/** The resources of a file, and how they point at each other. */
import { at, isJson, listAt, textAt, type Json } from './json.ts'

export type Library = {
  readonly resources: readonly Json[]
  /** What a reference means; contained ones are looked for in the resource that points. */
  readonly find: (reference: unknown, from: Json) => Json | null
}

export const typeOf = (resource: unknown) => textAt(resource, 'resourceType')

export function libraryOf(root: unknown): Library {
  const resources: Json[] = []
  const known = new Map<string, Json>()
  const add = (resource: unknown, fullUrl: string): void => {
    if (!isJson(resource)) return
    if (typeOf(resource) === 'Bundle' || typeOf(resource) === 'Parameters') {
      for (const entry of [...listAt(resource, 'entry'), ...listAt(resource, 'parameter')])
        add(at(entry, 'resource'), textAt(entry, 'fullUrl'))
      return
    }
    // Searches answer with notes on themselves.
    if (typeOf(resource) === 'OperationOutcome') return
    resources.push(resource)
    const id = textAt(resource, 'id')
    for (const key of [fullUrl, `${typeOf(resource)}/${id}`, `urn:uuid:${id}`])
      if (key !== '' && !known.has(key)) known.set(key, resource)
  }
  add(root, '')
  return {
    resources,
    find: (pointer, from) => {
      const reference = textAt(pointer, 'reference')
      if (reference.startsWith('#'))
        return (
          listAt(from, 'contained')
            .filter(isJson)
            .find((inner) => textAt(inner, 'id') === reference.slice(1)) ?? null
        )
      return known.get(reference) ?? known.get(tailOf(reference)) ?? null
    },
  }
}

/** "https://server/fhir/Patient/1/_history/2" is "Patient/1" of that server. */
export function tailOf(reference: string): string {
  return /([A-Z][A-Za-z]+\/[\w.-]+)(?:\/_history\/[\w.-]+)?$/.exec(reference)?.[1] ?? reference
}
