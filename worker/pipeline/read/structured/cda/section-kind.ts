import type { SectionKind } from './statement.ts'

/** By LOINC code, else by the words of the title. */
export function sectionKind(code: string, title: string): SectionKind {
  return kindsByCode[code] ?? titles.find(([pattern]) => pattern.test(title))?.[1] ?? 'other'
}

const kindsByCode: Readonly<Record<string, SectionKind>> = {
  '48765-2': 'allergies',
  '10160-0': 'medicines',
  '29549-3': 'medicines',
  '10183-2': 'medicines',
  '42346-7': 'medicines',
  '75311-1': 'medicines',
  '11450-4': 'problems',
  '11348-0': 'problems',
  '46241-6': 'problems',
  '11535-2': 'problems',
  '51848-0': 'problems',
  '11369-6': 'immunizations',
  '47519-4': 'procedures',
  '29554-3': 'procedures',
  '30954-2': 'results',
  '8716-3': 'vitals',
  '46240-8': 'encounters',
  '10157-6': 'family',
  '29762-2': 'social',
  '18776-5': 'plan',
  '61149-1': 'plan',
  '61146-7': 'plan',
  '61145-9': 'plan',
}

const titles: readonly (readonly [RegExp, SectionKind])[] = [
  [/family/i, 'family'],
  [/\bplan\b|goal|future|recommend/i, 'plan'],
  [/allerg|adverse reaction|alert/i, 'allergies'],
  [/immuni[sz]|vaccin/i, 'immunizations'],
  [/medic(?:ation|ine)/i, 'medicines'],
  [/procedure|surg/i, 'procedures'],
  [/vital/i, 'vitals'],
  [/result|laborator|pathology/i, 'results'],
  [/encounter|visit/i, 'encounters'],
  [/social|lifestyle/i, 'social'],
  [/problem|diagnos|condition|medical history/i, 'problems'],
]

export const isPastSection = (code: string, title: string) =>
  code === '11348-0' || /\b(?:past|resolved|inactive|ceased)\b/i.test(title)
