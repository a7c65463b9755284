/** Dates that can only be read one way decide; then units, spelling, addresses and names of schemes. */
export function localeOf(text: string): 'en-AU' | 'en-US' {
  const dates = dateEvidence(text)
  const wordsAu = count(text, australian)
  const wordsUs = count(text, american)
  const score = 4 * (dates.dayFirst - dates.monthFirst) + wordsAu - wordsUs
  return score < 0 ? 'en-US' : 'en-AU'
}

const numericDate = /(?<![\d.])([0-3]?\d)([/.-])([0-3]?\d)\2(?:19|20)?\d{2}(?![\d.]*\d)/g

function dateEvidence(text: string): { dayFirst: number; monthFirst: number } {
  let dayFirst = 0
  let monthFirst = 0
  for (const [, first, , second] of text.matchAll(numericDate)) {
    if (Number(first) > 12 && Number(first) <= 31 && isMonth(second)) dayFirst++
    if (Number(second) > 12 && Number(second) <= 31 && isMonth(first)) monthFirst++
  }
  return { dayFirst: Math.min(dayFirst, 5), monthFirst: Math.min(monthFirst, 5) }
}

const isMonth = (text: string | undefined): boolean => Number(text) >= 1 && Number(text) <= 12

const australian = [
  /\b(?:NSW|VIC|QLD|TAS|ACT)\s+\d{4}\b/g,
  /\b(?:SA|WA|NT)\s+\d{4}\b(?![\d-])/g,
  /\bmedicare\b.{0,12}\d{4}\s?\d{5}/gi,
  /\b(?:PBS|IHI|HPI-I|DVA|RACGP|FRACGP|FRACP|GPMP|AHPRA|MBS)\b/g,
  /\b(?:haemoglobin|haematology|oesophag|paediatric|anaemia|oedema|diarrhoea|orthopaedic|gynaecolog|immunisation|paracetamol|salbutamol|frusemide|leucocyte|tumour|colour|centre|organisation)/gi,
  /\b(?:mmol|µmol|umol|nmol|pmol)\/L\b/gi,
  /\b\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{4}\b/gi,
  /\b(?:mane|nocte|general practitioner|URN|GP)\b/g,
  /\(0[2378]\) ?\d{4}/g,
]
const american = [
  /\b(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WV|WI|WY)\s+\d{5}(?:-\d{4})?\b/g,
  /\b(?:hemoglobin|hematology|esophag|pediatric|anemia|edema|diarrhea|orthopedic|gynecolog|immunization|acetaminophen|albuterol|leukocyte|tumor|color|center)/gi,
  /\b(?:mg|ng|mcg|g)\/dL\b/g,
  /\b(?:SSN|NPI|CLIA|HIPAA|Medicaid|Zip)\b/gi,
  /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}, \d{4}\b/gi,
  /\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b/g,
  /\b(?:EST|EDT|CST|CDT|MST|PST|PDT)\b/g,
]

function count(text: string, patterns: readonly RegExp[]): number {
  return patterns.reduce((sum, pattern) => sum + Math.min(text.match(pattern)?.length ?? 0, 3), 0)
}
