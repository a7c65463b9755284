/** A contact as its finders hand it over, before it is known who held it and where. */
import type { FactStatus, FoundFact } from '../../document/found-fact.ts'
import { foundDate, type LabelledDate } from '../statements/dated-context.ts'
import { foundFact, type Range, type Reading } from '../found.ts'

export type ContactType = 'admission' | 'visit' | 'emergency' | 'telehealth' | 'administrative'

export type Contact = {
  readonly name: Range
  readonly date: LabelledDate
  readonly end: LabelledDate | null
  readonly type: ContactType
  readonly status: FactStatus
  readonly strength: FoundFact['strength']
  /** The document's own contact, or one that its words only tell of. */
  readonly isOwn: boolean
  /** Printed with it. */
  readonly provider: Range | null
  readonly facility: Range | null
}

export function contactFact({ document }: Reading, contact: Contact): FoundFact {
  const { name, date, end, provider, facility } = contact
  const printed = (range: Range) => document.text.slice(range.start, range.end).replace(/\s+/g, ' ')
  return foundFact(document, {
    type: 'encounter',
    name,
    status: contact.status,
    date: foundDate(date, 'visit'),
    detail: {
      encounterType: contact.type,
      ...(end ? { endDate: end.iso } : {}),
      ...(provider ? { provider: printed(provider) } : {}),
      ...(facility ? { facility: printed(facility) } : {}),
    },
    parts: [
      ['date', date],
      ['date', end],
      ['detail', provider],
      ['detail', facility],
    ],
    strength: contact.strength,
  })
}

/** By the words that name the contact; a plain visit where they say no more. */
export function contactTypeOf(words: string): ContactType {
  if (
    /\b(?:script only|repeat scripts?|admin(?:istrative|istration)?|non-visit|SMS|recall letter|results? (?:by phone|phoned)|correspondence)\b/i.test(
      words,
    )
  )
    return 'administrative'
  if (/emergency|\bED\b|\bA&E\b|\bER\b|casualty/.test(words) || /emergency/i.test(words)) return 'emergency'
  return /tele|phone|video/i.test(words) ? 'telehealth' : 'visit'
}
