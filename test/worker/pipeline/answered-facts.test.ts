import { test } from 'tap'
import { createClaimReader } from '../../../clinical/extraction/claims/claims.ts'
import { takeAnswer } from '../../../worker/pipeline/answered-facts.ts'
import type { AnsweredFact } from '../../../worker/providers/ai/provider.ts'
import { printDocument } from '../../clinical/extraction/print-document.ts'
import { said } from '../../support/answers.ts'

const by = { provider: 'openai', model: 'm', promptVersion: 'p' }

type Options = Parameters<typeof printDocument>[1]

/** What becomes of one claim: its status and parts, or why it was refused. */
function taken(lines: string, claim: Partial<AnsweredFact> & Pick<AnsweredFact, 'type' | 'name'>, options?: Options) {
  const document = printDocument(lines, options)
  const quote = claim.quote ?? document.text.split('\n').find((line) => line.includes(claim.name)) ?? claim.name
  const chunk = { start: 0, end: document.text.length, sent: document.text }
  const { facts, refusals } = takeAnswer(createClaimReader(document), chunk, [said({ ...claim, quote })], by)
  return facts[0] ?? refusals[0]
}

const shown = (fact: ReturnType<typeof taken>) => (typeof fact === 'object' ? `${fact.type} ${fact.status}` : fact)

test('a denial, a doubt, a plan or a past that the words carry wins over what a model makes of them', (t) => {
  const conditions: readonly (readonly [string, string, string])[] = [
    ['She denies any zorbitis.', 'zorbitis', 'condition negated'],
    ['No evidence of zorbitis on examination.', 'zorbitis', 'condition negated'],
    ['There is no zorbitis.', 'no zorbitis', 'condition negated'],
    ['Zorbitis was ruled out.', 'Zorbitis', 'condition negated'],
    ['Possible zorbitis, to be reviewed.', 'zorbitis', 'condition uncertain'],
    ['? zorbitis', 'zorbitis', 'condition uncertain'],
    ['Return if you develop zorbitis.', 'zorbitis', 'condition hypothetical'],
    ['History of zorbitis as a child.', 'zorbitis', 'condition historical'],
    ['Her husband has epilepsy.', 'epilepsy', 'other_person'],
    ['Her husband has zorbitis.', 'husband has zorbitis', 'other_person'],
    ['Her mother had zorbitis.', 'zorbitis', 'other_person'],
    ['No family history of zorbitis.', 'zorbitis', 'denied'],
    ['She has zorbitis.', 'zorbitis', 'condition present'],
    ['[ ] Zorbitis  [x] Quandrosis', 'Zorbitis', 'unticked'],
    ['☐ Zorbitis ☑ Quandrosis', 'Quandrosis', 'condition present'],
  ]
  for (const [line, name, wanted] of conditions) t.equal(shown(taken(line, { type: 'condition', name })), wanted, line)
  t.equal(
    shown(taken('Family History\nZorbitis', { type: 'condition', name: 'Zorbitis', quote: 'Zorbitis' })),
    'other_person',
    'under the heading of the family',
  )
  t.equal(
    shown(taken('Plan\nZorbitis screen next week', { type: 'condition', name: 'Zorbitis' })),
    'condition hypothetical',
  )
  t.equal(
    shown(taken('Her mother had zorbitis.', { type: 'condition', name: 'zorbitis', status: 'family' })),
    'family_history family',
  )
  t.equal(
    shown(taken('No family history of zorbitis.', { type: 'family_history', name: 'zorbitis', status: 'family' })),
    'denied',
  )
  t.equal(
    shown(taken('Zorbitis was mentioned.', { type: 'family_history', name: 'Zorbitis', status: 'family' })),
    'no_relative',
  )
  t.end()
})

test('what a model reads more cautiously than the rules stays as cautious', (t) => {
  for (const status of ['negated', 'uncertain', 'hypothetical', 'historical'] as const)
    t.equal(shown(taken('She has zorbitis.', { type: 'condition', name: 'zorbitis', status })), `condition ${status}`)
  t.equal(
    shown(taken('Cannot exclude zorbitis.', { type: 'condition', name: 'zorbitis', status: 'negated' })),
    'condition uncertain',
    'a denial of what is only doubted',
  )
  t.end()
})

test('medicines, doses, procedures and allergies are read by their own rules', (t) => {
  const rows: readonly (readonly [string, AnsweredFact['type'], string, string])[] = [
    ['Xarbolin was ceased in May.', 'medication', 'Xarbolin', 'medication historical'],
    ['She is not taking Xarbolin.', 'medication', 'Xarbolin', 'medication historical'],
    ['Her husband takes Xarbolin 20 mg daily.', 'medication', 'Xarbolin', 'other_person'],
    ['She takes Xarbolin 20 mg daily.', 'medication', 'Xarbolin', 'medication present'],
    ['Allergies: Xarbolin', 'medication', 'Xarbolin', 'section'],
    ['Zorbectomy is planned for next month.', 'procedure', 'Zorbectomy', 'procedure hypothetical'],
    ['She underwent a zorbectomy last year.', 'procedure', 'zorbectomy', 'procedure historical'],
    ['She declined the zorbvax vaccine.', 'immunization', 'zorbvax', 'immunization negated'],
    ['Zorbvax is due in June.', 'immunization', 'Zorbvax', 'immunization hypothetical'],
    ['She takes Xarbolin 20 mg.', 'allergy', 'Xarbolin', 'section'],
    ['She is allergic to Xarbolin.', 'allergy', 'Xarbolin', 'allergy present'],
    ['No allergy to Xarbolin.', 'allergy', 'Xarbolin', 'denied'],
    ['She tolerates Xarbolin without reaction.', 'allergy', 'Xarbolin', 'denied'],
    ['Xarbolin was considered but not started.', 'medication', 'Xarbolin', 'medication negated'],
    ['She was never allergic to Xarbolin.', 'allergy', 'Xarbolin', 'denied'],
    ['She takes no medicines, is allergic to Xarbolin.', 'allergy', 'Xarbolin', 'allergy present'],
    ['Next appointment: 3 March 2030', 'encounter', 'appointment', 'planned'],
  ]
  for (const [line, type, name, wanted] of rows) t.equal(shown(taken(line, { type, name })), wanted, line)
  t.equal(
    shown(taken('She is allergic to Xarbolin.', { type: 'allergy', name: 'Xarbolin', status: 'negated' })),
    'not_denied',
  )
  t.end()
})

test('no part of a fact is taken that is not printed beside it, whole', (t) => {
  const invented = taken('Xarbolin tablets', {
    type: 'medication',
    name: 'Xarbolin',
    dose: '500 mg',
    frequency: 'QID',
    route: 'IV',
  })
  t.match(invented, { detail: { dose: undefined, frequency: undefined, route: undefined }, strength: 'weak' })
  const printed = taken('She takes Xarbolin 20 mg tablets orally  twice daily.', {
    type: 'medication',
    name: 'Xarbolin',
    quote: 'Xarbolin 20 mg',
    value: '20',
    unit: 'mg',
    dose: '20 mg',
    frequency: 'Twice  daily',
    route: 'orally',
  })
  t.match(printed, {
    value: '20',
    unit: 'mg',
    detail: { dose: '20 mg', frequency: 'twice daily', route: 'orally' },
    strength: 'fair',
  })
  t.equal(typeof printed === 'object' && printed.spans.filter(({ role }) => role === 'detail').length, 3)

  const measured = (
    line: string,
    value: string,
    unit: string | null = null,
    type: AnsweredFact['type'] = 'lab_result',
  ) => taken(line, { type, name: 'Zorbin', value, unit })
  t.equal(measured('Zorbin 20.5 mmol/L', '20', 'mmol/L'), 'value_in_part')
  t.equal(measured('Zorbin 20.5 mmol/L', '20.5', 'mmol'), 'unit_in_part')
  t.equal(measured('Zorbin -2.5', '2.5'), 'value_in_part')
  t.equal(measured('Zorbin 5-10', '5'), 'value_in_part')
  t.equal(measured('Zorbin 20.5 (10 - 15)', '15'), 'value_in_part')
  t.equal(measured('Zorbin 4 mmol/L, then 20 mmol/L', '20', 'mmol/L'), 'value_elsewhere')
  t.equal(measured('Zorbin was sent with sodium 140 mmol/L', '140', 'mmol/L'), 'value_elsewhere')
  t.equal(measured('Zorbin 80 kg, height 170 cm', '80', 'cm'), 'unit_elsewhere')
  t.equal(measured('Zorbin raised', '7'), 'value_not_printed')
  t.equal(measured('Target Zorbin 7', '7'), 'aim')
  t.match(measured('Zorbin <0.5 ug/L', '0.5', 'ug/L'), { value: '0.5', detail: { comparator: '<' } })
  t.match(measured('Zorbin\t20.5\tmmol/L\t10-30', '20.5', 'mmol/L'), { value: '20.5', unit: 'mmol/L' })
  t.equal(
    shown(taken('Zorbin: negative', { type: 'lab_result', name: 'Zorbin', value: 'negative' })),
    'lab_result present',
    'a result that is a denial in itself',
  )
  t.equal(
    taken(`She has zorbitis. ${'Nothing more was said of anything here. '.repeat(20)}`, {
      type: 'condition',
      name: 'zorbitis',
    }),
    'quote_too_long',
  )
  t.end()
})

test('details of a neighbour are not taken for its own', (t) => {
  const two = taken('Xarbolin 20 mg, metformin 500 mg twice daily', {
    type: 'medication',
    name: 'Xarbolin',
    value: '20',
    unit: 'mg',
    frequency: 'twice daily',
  })
  t.match(two, { value: '20', detail: { frequency: undefined } })
  t.equal(
    taken('Xarbolin and metformin 500 mg twice daily', {
      type: 'medication',
      name: 'Xarbolin',
      value: '500',
      unit: 'mg',
    }),
    'value_elsewhere',
  )
  t.end()
})

test('dates come from the words beside a fact, or from what governs what was measured', (t) => {
  const report = ['Collected: 3 March 2021', 'Date of birth: 4 May 1950', 'Zorbin 20.5 mmol/L'].join('\n')
  t.match(taken(report, { type: 'lab_result', name: 'Zorbin', value: '20.5', unit: 'mmol/L' }), {
    date: { iso: '2021-03-03', meaning: 'collected' },
  })
  t.match(taken('Born 4 May 1950, zorbitis.', { type: 'condition', name: 'zorbitis', date: '4 May 1950' }), {
    date: null,
  })
  t.match(taken('Zorbitis since 4 May 1990.', { type: 'condition', name: 'Zorbitis', date: 'since 4 May 1990' }), {
    date: { iso: '1990-05-04', meaning: 'onset' },
  })
  t.match(taken('Xarbolin ceased 4 May 1990.', { type: 'medication', name: 'Xarbolin', date: '4 May 1990' }), {
    status: 'historical',
    date: { meaning: 'stopped' },
  })
  t.match(
    taken('Zorbitis, see below.\nPrinted 4 May 1990', { type: 'condition', name: 'Zorbitis', date: '4 May 1990' }),
    { date: null },
  )
  t.end()
})
