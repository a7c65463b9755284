import { hasUnreadValue } from '../../coding/checks.ts'
import { compoundQuantity } from '../../coding/compound-quantity.ts'
import { fittingUnits, observationIdOf } from '../../coding/observation-codes.ts'
import { inUsualUnit } from '../../coding/unit-conversion.ts'
import { parseNumber, parseRange } from '../../coding/printed-numbers.ts'
import { specimenIn } from '../../terminology/specimens.ts'
import { unitOf } from '../../terminology/units.ts'
import { aboutRelative, spokeHead, type Admission, type CodedFact, type Spoke } from '../admission.ts'
import { mergeKey } from '../merge-key.ts'

type ObservationType = 'lab_result' | 'vital_sign' | 'physical_finding' | 'imaging_result'

export const admitLabResult = (fact: CodedFact) => admitMeasured(fact, 'lab_result')
export const admitVitalSign = (fact: CodedFact) => admitMeasured(fact, 'vital_sign')
export const admitPhysicalFinding = (fact: CodedFact) => admitObservation(fact, 'physical_finding')
export const admitImagingResult = (fact: CodedFact) => admitObservation(fact, 'imaging_result')

function admitMeasured(fact: CodedFact, type: 'lab_result' | 'vital_sign'): Admission {
  if (fact.status === 'family') return aboutRelative
  if (fact.value === null && !hasUnreadValue(fact))
    return { kind: 'noted', reason: 'No result is printed beside the name of the test.' }
  return admitObservation(fact, type)
}

function admitObservation(fact: CodedFact, type: ObservationType): Admission {
  if (fact.status === 'family') return aboutRelative
  return {
    kind: 'event',
    eventType: type,
    assertion: fact.status,
    mergeKey: {
      ...mergeKey(fact, [fact.value, fact.unit, otherThanBlood(fact), fact.date?.iso, ...sideOf(fact)], []),
      // Undated readings of two files may be of different days, unread ones different numbers.
      scope: fact.date === null || hasUnreadValue(fact) ? 'file' : 'patient',
    },
    spoke: observationSpoke(fact, type),
  }
}

/** A letter that quotes a result seldom says that it was of serum: it is the same result all the same. */
function otherThanBlood({ detail }: CodedFact): string | null {
  return detail.specimen === undefined || specimenIn(detail.specimen) === 'blood' ? null : detail.specimen
}

/** The pressure of the other eye is another reading. */
const sideOf = ({ detail }: CodedFact): string[] => (detail.laterality === undefined ? [] : [detail.laterality])

function observationSpoke(fact: CodedFact, type: ObservationType): Spoke {
  const printed = parseNumber(fact.value)
  const range = parseRange(fact.referenceRange)
  const compound = fact.unit === null ? compoundQuantity(fact.value) : null
  const number = compound?.value ?? printed?.value ?? null
  const ucum = compound?.ucum ?? ucumOf(fact)
  const usual = usualOf(fact, number, ucum)
  return {
    table: 'patient_observations',
    row: {
      ...spokeHead(fact),
      observationType: type,
      valueText: fact.value,
      comparator: fact.detail.comparator ?? printed?.comparator ?? null,
      valueNumeric: numeric(number),
      unit: fact.unit,
      unitUcum: ucum,
      usualValue: numeric(usual?.value),
      usualUnitUcum: usual?.ucum ?? null,
      referenceRange: fact.referenceRange,
      referenceLow: numeric(range?.low),
      referenceHigh: numeric(range?.high),
      flag: fact.detail.flag ?? null,
      specimen: fact.detail.specimen ?? null,
      panel: fact.detail.panel ?? null,
    },
    components: componentsOf(fact, ucum),
  }
}

const componentCodes = { systolic: '8480-6', diastolic: '8462-4' }

function componentsOf(fact: CodedFact, unitUcum: string | null) {
  return (fact.detail.components ?? []).flatMap((component, ordinal) => {
    const value = numeric(parseNumber(component.value)?.value)
    const kind = /^(systolic|diastolic)/i.exec(component.name)?.[1]?.toLowerCase()
    const code = kind === 'systolic' || kind === 'diastolic' ? componentCodes[kind] : null
    return value === null ? [] : [{ ordinal, name: component.name, code, valueNumeric: value, unitUcum }]
  })
}

function usualOf(fact: CodedFact, value: number | null, ucum: string | null) {
  return value === null || ucum === null ? null : inUsualUnit(observationId(fact), { value, ucum })
}

const observationId = ({ concept }: CodedFact) => observationIdOf(concept) ?? ''

/** The unit in which the test is reported, where the printed one means several. */
function ucumOf(fact: CodedFact): string | null {
  if (fact.unit === null) return null
  // The file's own, where it says so.
  if (fact.detail.ucum !== undefined) return fact.detail.ucum
  return fittingUnits(observationId(fact), fact.unit)[0]?.ucum ?? unitOf(fact.unit)?.ucum[0] ?? null
}

const numeric = (value: number | null | undefined) =>
  value === undefined || value === null || !Number.isFinite(value) ? null : String(value)
