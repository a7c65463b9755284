/** What was examined. Serum, plasma and blood name one test alike; urine, faeces or a fluid are another test. */

/** As in column `specimen` of `observations.tsv`, serum and plasma among blood. */
export type Specimen = 'blood' | 'urine' | 'faeces' | 'csf' | 'semen' | 'sputum' | 'fluid' | 'swab'

/** In this order: "urine blood" is urine, "blood culture swab" never printed. */
const words: readonly (readonly [Specimen, RegExp])[] = [
  ['urine', /\b(?:urin(?:e|ary|alysis)|msu|mid[- ]?stream|catheter specimen|u\/a)\b/i],
  ['csf', /\b(?:csf|cerebrospinal)\b/i],
  ['faeces', /\b(?:fa?ec(?:es|al)|stools?)\b/i],
  ['semen', /\b(?:semen|seminal)\b/i],
  ['sputum', /\bsputum\b/i],
  [
    'fluid',
    /\b(?:(?:pleural|ascitic|peritoneal|synovial|joint|amniotic|pericardial|drain) (?:fluid|aspirate)|ascites)\b/i,
  ],
  ['swab', /\bswabs?\b/i],
  ['blood', /\b(?:serum|plasma|blood|haematology|hematology)\b/i],
]

/** Null where the words name none. */
export function specimenIn(printed: string): Specimen | null {
  return words.find(([, pattern]) => pattern.test(printed))?.[0] ?? null
}

/** By the name of a test: "Creatinine, urine". Blood is also a thing to look for ("White blood cells"), so it counts as specimen only before or behind the name. */
export function specimenOfTest(name: string): Specimen | null {
  const specimen = specimenIn(name)
  if (specimen !== 'blood') return specimen
  return /^(?:serum|plasma|whole blood|blood) \p{L}|, ?(?:serum|plasma|(?:whole )?blood)$/iu.test(name) ? 'blood' : null
}

/** Whether a test of the table's specimen ("arterial blood", "genital/urine", "patient") may be done on this one. */
export function isDoneOn(tableSpecimen: string, specimen: Specimen): boolean {
  const own = specimenIn(tableSpecimen)
  return own === null || own === specimen || new RegExp(`\\b${specimen}\\b`).test(tableSpecimen)
}
