/** Values in the unit that a test is compared in, whatever a laboratory prints: 101 mg/dL of glucose beside 5.6 mmol/L. */
import { once, readTable } from '../terminology/read-table.ts'

export type Quantity = { readonly value: number; readonly ucum: string }

/**
 * The same quantity in the usual unit of the test (`default_ucum` of `observations.tsv`); null where no conversion is known.
 * Conversions of units alone hold for every test, those by molar mass for the one that they are listed for. What is counted as a
 * share (neutrophils in %) or against another standard (lipoprotein(a)) is never converted. Rounded to four figures.
 */
export function inUsualUnit(observationId: string, { value, ucum }: Quantity): Quantity | null {
  const usual = usualUnits().get(observationId) ?? ''
  if (usual === '') return null
  if (usual === ucum) return { value, ucum }
  const conversion = conversions().get(`${observationId} ${ucum} ${usual}`) ?? conversions().get(` ${ucum} ${usual}`)
  if (conversion === undefined) return null
  return { value: Number((value * conversion.factor + conversion.offset).toPrecision(4)), ucum: usual }
}

const usualUnits = once(
  () => new Map(readTable('observations', ['id', 'default_ucum']).map((row) => [row.id, row.default_ucum])),
)

const conversions = once(
  () =>
    new Map(
      readTable('unit_conversions', ['observation_id', 'from_ucum', 'to_ucum', 'factor', 'offset']).map((row) => [
        `${row.observation_id} ${row.from_ucum} ${row.to_ucum}`,
        { factor: Number(row.factor), offset: Number(row.offset) },
      ]),
    ),
)
