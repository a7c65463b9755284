/** Who each resource is about. */
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { tailOf, typeOf, type Library } from './library.ts'

export type Subjects = {
  /** Each person once, however often the file brings them along. */
  readonly patients: readonly Json[]
  /** Null where the file is about one person alone. */
  readonly of: (resource: Json) => string | null
}

export function subjectsOf(library: Library): Subjects {
  const inner = library.resources.flatMap((resource) => listAt(resource, 'contained').filter(isJson))
  const everybody = [...library.resources, ...inner].filter((resource) => typeOf(resource) === 'Patient')
  const people = new Map(everybody.map((patient) => [signatureOf(patient), patient]))
  const keyOf = (resource: Json): string | null => {
    if (typeOf(resource) === 'Patient') return signatureOf(resource)
    const pointer = at(resource, 'subject') ?? at(resource, 'patient')
    const reference = textAt(pointer, 'reference')
    if (reference === '') return null
    const found = library.find(pointer, resource)
    if (found !== null) return typeOf(found) === 'Patient' ? signatureOf(found) : null
    // A lone set of observations may name its patient without bringing it along.
    return /(?:^|\/)Patient\//.test(reference) || reference.startsWith('urn:') ? tailOf(reference) : null
  }
  const keys = [...new Set(library.resources.map(keyOf))].filter((key) => key !== null)
  return {
    patients: [...people.values()],
    // A number tells them apart as well, and names nobody.
    of: (resource) => (keys.length > 1 ? `${keys.indexOf(keyOf(resource) ?? '') + 1}` : null),
  }
}

const signatureOf = (patient: Json): string =>
  JSON.stringify([
    listAt(patient, 'name').map((name) => [textAt(name, 'family'), listAt(name, 'given'), textAt(name, 'text')]),
    textAt(patient, 'birthDate'),
    listAt(patient, 'name').length > 0 ? '' : textAt(patient, 'id'),
  ])
