/** The person of a file, as fields; name and date of birth go to the identity gate. */
import type { DataSheet } from '../data-sheet.ts'
import { identityFact, isoDate } from '../stated-fact.ts'
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { wordsOfAddress, wordsOfConcept, wordsOfName } from './values.ts'

export function printPatient(sheet: DataSheet, patient: Json, subject: string | null): void {
  const names = listAt(patient, 'name').filter(isJson)
  const current = names.find((name) => ['official', 'usual'].includes(textAt(name, 'use'))) ?? names[0]
  const name = wordsOfName(current)
  if (name !== '') sheet.field('Patient', name, identityFact('name', name, subject))
  const others = names
    .filter((each) => each !== current)
    .map((each) => `${wordsOfName(each)} (${textAt(each, 'use') || 'other'})`)
  sheet.field('Also known as', others.join(', '))
  const birth = isoDate(textAt(patient, 'birthDate'))
  if (birth !== null) sheet.field('Date of birth', birth, identityFact('date_of_birth', birth, subject))
  const sex = textAt(patient, 'gender')
  if (sex !== '') sheet.field('Sex', sex, identityFact('sex', sex, subject))
  const died = textAt(patient, 'deceasedDateTime') || (at(patient, 'deceasedBoolean') === true ? 'yes' : '')
  sheet.field('Died', died.slice(0, 10))
  for (const identifier of listAt(patient, 'identifier')) printIdentifier(sheet, identifier, subject)
  sheet.field('Address', listAt(patient, 'address').map(wordsOfAddress).filter(Boolean).join('; '))
  const contacts = listAt(patient, 'telecom').map((each) => textAt(each, 'value'))
  sheet.field('Contact', contacts.filter(Boolean).join(', '))
  sheet.field('Next of kin', listAt(patient, 'contact').map(wordsOfContact).filter(Boolean).join('; '))
  const language = listAt(patient, 'communication').map((each) => wordsOfConcept(at(each, 'language')))
  sheet.field('Language', language.filter(Boolean).join(', '))
}

function printIdentifier(sheet: DataSheet, identifier: unknown, subject: string | null): void {
  const value = textAt(identifier, 'value')
  const system = textAt(identifier, 'system')
  if (value === '') return
  const known = knownSystems.find(
    ([part]) => system.includes(part) || wordsOfConcept(at(identifier, 'type')).includes(part),
  )
  const kind = known?.[1] ?? (codeOfType(identifier) === 'MR' ? 'mrn' : null)
  const label = wordsOfConcept(at(identifier, 'type')) || known?.[2] || 'Identifier'
  sheet.field(label, value, kind === null ? undefined : identityFact(kind, value, subject))
}

const codeOfType = (identifier: unknown) => textAt(listAt(identifier, 'type', 'coding')[0], 'code')

const knownSystems: readonly (readonly [part: string, kind: string, label: string])[] = [
  ['hi/ihi', 'ihi', 'IHI'],
  ['IHI', 'ihi', 'IHI'],
  ['medicare-number', 'medicare_number', 'Medicare'],
  ['Medicare', 'medicare_number', 'Medicare'],
]

function wordsOfContact(contact: unknown): string {
  const relation = listAt(contact, 'relationship').map(wordsOfConcept).filter(Boolean).join(', ')
  const name = wordsOfName(at(contact, 'name'))
  const phone =
    listAt(contact, 'telecom')
      .map((each) => textAt(each, 'value'))
      .find(Boolean) ?? ''
  return [name, relation === '' ? '' : `(${relation})`, phone].filter(Boolean).join(' ')
}
