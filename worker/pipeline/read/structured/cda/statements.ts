/** Entries of CDA as facts: what kind they are of is said by their section, their template or their class. */
import type { FactStatus, FactType } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, isVitalCode, statedDate, statedFact } from '../stated-fact.ts'
import { all, attribute, first, textOf, type Element } from './element.ts'
import { codesOf, nameOfCode, originalText, timeOf, valueOf, wordsOfName, type References } from './values.ts'

export type SectionKind =
  | 'allergies'
  | 'medicines'
  | 'problems'
  | 'immunizations'
  | 'procedures'
  | 'results'
  | 'vitals'
  | 'encounters'
  | 'family'
  | 'social'
  | 'plan'
  | 'other'

export type EntryContext = { readonly section: SectionKind; readonly references: References; readonly isPast: boolean }

const statementNames = [
  'act',
  'observation',
  'substanceAdministration',
  'supply',
  'procedure',
  'encounter',
  'organizer',
]

/** The statements below an entry that say something of their own. */
export function readEntry(holder: Element, context: EntryContext): DataRow[] {
  return holder.children.flatMap((child) =>
    typeof child !== 'string' && statementNames.includes(child.name) ? readStatement(child, context) : [],
  )
}

function readStatement(statement: Element, context: EntryContext): DataRow[] {
  // Of an unknown thing nothing is said; "nothing" itself may be said with negationInd.
  if (attribute(statement, 'nullFlavor') !== '' && attribute(statement, 'negationInd') !== 'true') return []
  switch (statement.name) {
    case 'substanceAdministration':
      return context.section === 'immunizations' || isTemplate(statement, '.22.4.52')
        ? readVaccination(statement, context)
        : readMedicine(statement, context)
    case 'encounter':
      return readEncounter(statement, context)
    case 'procedure':
      return readProcedure(statement, context)
    case 'organizer':
      return first(statement, 'subject', 'relatedSubject') === null
        ? all(statement, 'component').flatMap((each) => readEntry(each, context))
        : readRelative(statement, context)
    case 'observation':
      return readObservation(statement, context)
    case 'supply':
      return all(statement, 'entryRelationship').flatMap((each) => readEntry(each, context))
    default:
      return readAct(statement, context)
  }
}

export function isTemplate(element: Element, ending: string): boolean {
  return all(element, 'templateId').some((each) => attribute(each, 'root').endsWith(ending))
}

/** A concern holds its problem or allergy; other acts are things done. */
function readAct(act: Element, context: EntryContext): DataRow[] {
  const inner = all(act, 'entryRelationship').flatMap((each) =>
    readEntry(each, context).map((row) => withConcern(act, row)),
  )
  if (inner.length > 0 || ['allergies', 'problems', 'results', 'vitals', 'social'].includes(context.section))
    return inner
  return context.section === 'procedures' || context.section === 'plan' ? readProcedure(act, context) : []
}

/** A concern that was entered in error takes its problem along. */
function withConcern(act: Element, row: DataRow): DataRow {
  const status = attribute(first(act, 'statusCode'), 'code')
  return status === 'nullified' ? { ...row, isEntry: false, statusWords: 'entered in error' } : row
}

const isDenied = (statement: Element) => attribute(statement, 'negationInd') === 'true'
const isNullified = (statement: Element) =>
  ['nullified', 'cancelled'].includes(attribute(first(statement, 'statusCode'), 'code'))

function readObservation(observation: Element, context: EntryContext): DataRow[] {
  if (isTemplate(observation, '.22.4.7') || context.section === 'allergies') return readAllergy(observation, context)
  if (isTemplate(observation, '.22.4.4') || context.section === 'problems') return readProblem(observation, context)
  if (context.section === 'procedures' || context.section === 'plan') return readProcedure(observation, context)
  if (context.section === 'family' || context.section === 'medicines' || context.section === 'immunizations') return []
  if (context.section === 'encounters' || context.section === 'other')
    return isMeasured(observation) ? readMeasured(observation, context) : []
  return readMeasured(observation, context)
}

const isMeasured = (observation: Element) =>
  isVitalCode(codesOf(first(observation, 'code'))) || attribute(first(observation, 'value'), 'unit') !== ''

/** The status of a problem is an observation inside of it. */
function statusInside(observation: Element, references: References): string {
  const inside = all(observation, 'entryRelationship', 'observation').find(
    (each) =>
      attribute(first(each, 'code'), 'code') === '33999-4' ||
      isTemplate(each, '.22.4.6') ||
      isTemplate(each, '.22.4.28'),
  )
  return nameOfCode(first(inside ?? null, 'value'), references)
}

function readProblem(observation: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const value = first(observation, 'value')
  const codes = codesOf(value)
  const name = nameOfCode(value, references) || originalText(first(observation, 'text'), references)
  if (name === '' || isQualifier(observation)) return []
  const time = timeOf(first(observation, 'effectiveTime'))
  const inside = statusInside(observation, references)
  const absence = absenceOf(codes, name)
  const isOver = context.isPast || /inactive|resolved|remission/i.test(inside) || (inside === '' && time.end !== null)
  const denied = isDenied(observation) || absence === 'none'
  const fact = statedFact('condition', name, {
    status: denied ? 'negated' : isOver ? 'historical' : 'present',
    date: statedDate(time.start, 'onset'),
    detail: detailOf({
      codes,
      clinicalStatus: denied ? null : isOver ? 'resolved' : 'active',
      bodySite: nameOfCode(first(observation, 'targetSiteCode'), references),
      endDate: time.end,
      severity: severityOf(observation, references),
    }),
  })
  const isEntry = !isNullified(observation) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'denied' : inside, note: '' }]
}

/** Status, severity, age at onset: about the thing around them. */
function isQualifier(observation: Element): boolean {
  const code = attribute(first(observation, 'code'), 'code')
  return ['33999-4', 'SEV', '11323-3', '445518008', '82606-5', '11450-4'].includes(code) &&
    first(observation, 'value') === null
    ? true
    : ['33999-4', 'SEV', '11323-3', '445518008', '82606-5'].includes(code)
}

function severityOf(observation: Element, references: References): string {
  const inside = insideOf(observation).find(
    (each) => attribute(first(each, 'code'), 'code') === 'SEV' || isTemplate(each, '.22.4.8'),
  )
  return nameOfCode(first(inside ?? null, 'value'), references)
}

const insideOf = (statement: Element): Element[] =>
  all(statement, 'entryRelationship', 'observation').flatMap((each) => [
    each,
    ...all(each, 'entryRelationship', 'observation'),
  ])

function readAllergy(observation: Element, context: EntryContext): DataRow[] {
  const { references } = context
  if (isQualifier(observation)) return []
  const agent =
    first(observation, 'participant', 'participantRole', 'playingEntity') ??
    first(observation, 'participant', 'participantRole', 'playingDevice')
  const value = first(observation, 'value')
  const agentCodes = codesOf(first(agent, 'code'))
  const agentName = nameOfCode(first(agent, 'code'), references) || textOf(first(agent, 'name'))
  const kind = nameOfCode(value, references)
  const absence = absenceOf([...codesOf(value), ...agentCodes], agentName || kind)
  const denied = isDenied(observation) || absence === 'none'
  // "Allergy to substance", denied, with nothing named: none are known.
  const name =
    agentName ||
    (denied ? 'No known allergies' : /^(?:propensity|allergy to|drug|food|adverse|intolerance)/i.test(kind) ? '' : kind)
  if (name === '') return []
  const reactions = all(observation, 'entryRelationship')
    .filter((each) => attribute(each, 'typeCode') === 'MFST')
    .map((each) => nameOfCode(first(each, 'observation', 'value'), references))
  const inside = statusInside(observation, references)
  const isOver = /inactive|resolved/i.test(inside)
  const fact = statedFact('allergy', name, {
    status: denied ? 'negated' : isOver ? 'historical' : 'present',
    date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'onset'),
    detail: detailOf({
      codes: agentName === '' && denied ? [] : agentCodes,
      reaction: reactions.filter(Boolean).join(', '),
      severity: severityOf(observation, references),
    }),
  })
  const isEntry = !isNullified(observation) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'denied' : inside, note: '' }]
}

function material(statement: Element): Element | null {
  return first(statement, 'consumable', 'manufacturedProduct', 'manufacturedMaterial')
}

function nameOfMaterial(statement: Element, references: References): string {
  const product = material(statement)
  return (
    nameOfCode(first(product, 'code'), references) ||
    textOf(first(product, 'name')) ||
    originalText(first(statement, 'text'), references)
  )
}

function readVaccination(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const product = material(statement)
  const codes = codesOf(first(product, 'code'))
  const name = nameOfMaterial(statement, references)
  if (name === '') return []
  const denied = isDenied(statement) || absenceOf(codes, name) === 'none'
  const isPlanned = !['', 'EVN'].includes(attribute(statement, 'moodCode')) || context.section === 'plan'
  const fact = statedFact('immunization', name, {
    status: denied ? 'negated' : isPlanned ? 'hypothetical' : 'present',
    date: statedDate(timeOf(first(statement, 'effectiveTime')).start, 'given'),
    detail: detailOf({
      codes,
      batch: textOf(first(product, 'lotNumberText')),
      manufacturer: textOf(
        first(statement, 'consumable', 'manufacturedProduct', 'manufacturerOrganization') === null
          ? null
          : first(statement, 'consumable', 'manufacturedProduct', 'manufacturerOrganization', 'name'),
      ),
      route: nameOfCode(first(statement, 'routeCode'), references),
      site: nameOfCode(first(statement, 'approachSiteCode'), references),
      doseNumber: attribute(first(statement, 'repeatNumber'), 'value'),
    }),
  })
  const isEntry = !isNullified(statement) && absenceOf(codes, name) !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'not given' : '', note: '' }]
}

function readMedicine(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(material(statement), 'code'))
  const name = nameOfMaterial(statement, references)
  if (name === '') return []
  const [span, ...others] = all(statement, 'effectiveTime')
  const time = timeOf(span ?? null)
  const status = attribute(first(statement, 'statusCode'), 'code')
  const absence = absenceOf(codes, name)
  const denied = isDenied(statement) || absence === 'none'
  const said = denied ? ({ status: 'negated', clinicalStatus: null } as const) : saidOfMedicine(status, context)
  const dose = valueOf(first(statement, 'doseQuantity'), references)
  const fact = statedFact('medication', name, {
    status: said.status,
    date: statedDate(time.start, 'started'),
    detail: detailOf({
      codes,
      clinicalStatus: said.clinicalStatus,
      dose: `${dose.value} ${dose.unit}`.trim(),
      route: nameOfCode(first(statement, 'routeCode'), references),
      frequency: others.map(wordsOfInterval).find(Boolean) ?? '',
      endDate: time.end,
      indication: indicationOf(statement, references),
    }),
  })
  const isEntry = !['nullified', 'cancelled'].includes(status) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'not taken' : status, note: instructionsOf(statement, references) }]
}

type Said = { readonly status: FactStatus; readonly clinicalStatus: 'active' | 'stopped' | 'planned' }

/** Completed says that the record is, not that the medicine is finished: lists of current ones are full of it. */
function saidOfMedicine(status: string, { section, isPast }: EntryContext): Said {
  if (section === 'plan') return { status: 'hypothetical', clinicalStatus: 'planned' }
  const isStopped = isPast || status === 'aborted' || status === 'suspended'
  return isStopped
    ? { status: 'historical', clinicalStatus: 'stopped' }
    : { status: 'present', clinicalStatus: 'active' }
}

function wordsOfInterval(element: Element): string {
  const period = first(element, 'period')
  const amount = attribute(period, 'value')
  const unit = { h: 'hours', d: 'days', wk: 'weeks', mo: 'months', min: 'minutes' }[attribute(period, 'unit')]
  if (amount !== '' && unit !== undefined)
    return amount === '1' ? `every ${unit.slice(0, -1)}` : `every ${amount} ${unit}`
  return attribute(first(element, 'event'), 'code') || attribute(element, 'displayName')
}

function indicationOf(statement: Element, references: References): string {
  const reason = all(statement, 'entryRelationship').find((each) => attribute(each, 'typeCode') === 'RSON')
  return nameOfCode(first(reason ?? null, 'observation', 'value'), references)
}

function instructionsOf(statement: Element, references: References): string {
  const inside = all(statement, 'entryRelationship', 'act').find((each) => isTemplate(each, '.22.4.20'))
  return originalText(first(inside ?? null, 'text'), references)
}

function readProcedure(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(statement, 'code'))
  const name = nameOfCode(first(statement, 'code'), references) || originalText(first(statement, 'text'), references)
  if (name === '') return []
  const mood = attribute(statement, 'moodCode')
  const isPlanned = context.section === 'plan' || ['INT', 'RQO', 'PRMS', 'PRP', 'ARQ', 'GOL'].includes(mood)
  const denied = isDenied(statement) || absenceOf(codes, name) === 'none'
  const status = denied ? 'negated' : isPlanned ? 'hypothetical' : 'present'
  const fact = statedFact('procedure', name, {
    status,
    date: statedDate(timeOf(first(statement, 'effectiveTime')).start, 'performed'),
    detail: detailOf({
      codes,
      clinicalStatus: status === 'present' ? 'completed' : status === 'hypothetical' ? 'planned' : null,
      bodySite: nameOfCode(first(statement, 'targetSiteCode'), references),
      provider: wordsOfName(first(statement, 'performer', 'assignedEntity', 'assignedPerson', 'name')),
    }),
  })
  const isAborted = attribute(first(statement, 'statusCode'), 'code') === 'aborted'
  return [
    {
      fact,
      isEntry: !isNullified(statement) && !isAborted,
      statusWords: isPlanned ? 'planned' : isAborted ? 'aborted' : '',
      note: '',
    },
  ]
}

function readEncounter(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(statement, 'code'))
  const name = nameOfCode(first(statement, 'code'), references) || 'Encounter'
  const time = timeOf(first(statement, 'effectiveTime'))
  const isPlanned = !['', 'EVN'].includes(attribute(statement, 'moodCode')) || context.section === 'plan'
  const fact = statedFact('encounter', name, {
    status: isPlanned ? 'hypothetical' : 'present',
    date: statedDate(time.start, 'visit'),
    detail: detailOf({
      codes,
      encounterType: name,
      endDate: time.end,
      provider: wordsOfName(first(statement, 'performer', 'assignedEntity', 'assignedPerson', 'name')),
      facility: textOf(first(statement, 'participant', 'participantRole', 'playingEntity', 'name')),
    }),
  })
  const diagnoses = all(statement, 'entryRelationship').flatMap((each) =>
    readEntry(each, { ...context, section: 'problems' }),
  )
  return [
    {
      fact,
      isEntry: !isNullified(statement) && time.start !== null,
      statusWords: isPlanned ? 'planned' : '',
      note: '',
    },
    ...diagnoses,
  ]
}

function readMeasured(observation: Element, context: EntryContext): DataRow[] {
  const { references, section } = context
  const code = first(observation, 'code')
  const codes = codesOf(code)
  const name = nameOfMeasured(observation, context)
  const { value, unit, comparator } = valueOf(first(observation, 'value'), references)
  if (name === '') return []
  const type: FactType =
    section === 'social' ? 'social_history' : section === 'vitals' || isVitalCode(codes) ? 'vital_sign' : 'lab_result'
  const fact = statedFact(type, name, {
    status: isDenied(observation) ? 'negated' : context.section === 'plan' ? 'hypothetical' : 'present',
    value: value === '' ? null : value,
    unit: unit === '' ? null : unit,
    referenceRange: rangesOf(observation, references) || null,
    date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'collected'),
    detail: detailOf({ codes, ucum: unit, flag: flagOf(observation), ...(comparator === null ? {} : { comparator }) }),
  })
  const status = attribute(first(observation, 'statusCode'), 'code')
  const isEntry = value !== '' && !isNullified(observation) && attribute(observation, 'moodCode') !== 'GOL'
  return [{ fact, isEntry, statusWords: status === 'completed' ? '' : status, note: '' }]
}

/** Some entries say no more than that something is so; what, their template says. */
function nameOfMeasured(observation: Element, { section, references }: EntryContext): string {
  const code = first(observation, 'code')
  if (attribute(code, 'code') !== 'ASSERTION')
    return nameOfCode(code, references) || originalText(first(observation, 'text'), references)
  if (isTemplate(observation, '.22.4.78')) return 'Smoking status'
  if (isTemplate(observation, '.22.4.85')) return 'Tobacco use'
  return section === 'social' ? 'Social history' : 'Finding'
}

const flagOf = (observation: Element) =>
  all(observation, 'interpretationCode')
    .map((each) => attribute(each, 'code'))
    .filter((flag) => flag !== '' && flag !== 'N')
    .join(', ')

function rangesOf(observation: Element, references: References): string {
  return all(observation, 'referenceRange', 'observationRange')
    .map((range) => originalText(first(range, 'text'), references) || valueOf(first(range, 'value'), references).value)
    .filter((text) => text !== '')
    .join('; ')
}

function readRelative(organizer: Element, { references }: EntryContext): DataRow[] {
  const relationship =
    nameOfCode(first(organizer, 'subject', 'relatedSubject', 'code'), references) ||
    attribute(first(organizer, 'subject', 'relatedSubject', 'code'), 'code')
  return all(organizer, 'component', 'observation').flatMap((observation) => {
    const value = first(observation, 'value')
    const name = nameOfCode(value, references)
    if (name === '') return []
    const codes = codesOf(value)
    const fact = statedFact('family_history', name, {
      status: 'family',
      date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'onset'),
      detail: detailOf({ codes, relationship }),
    })
    const denied = isDenied(observation) || absenceOf(codes, name) !== null
    return [
      {
        fact,
        isEntry: !denied && !isNullified(observation),
        statusWords: denied ? 'not in this relative' : '',
        note: '',
      },
    ]
  })
}
