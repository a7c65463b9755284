import { test } from 'tap'
import { askingAbout, takeStories } from '../../../worker/pipeline/narrate-by-model.ts'
import { recorded } from '../../support/recorded-events.ts'

const events = [
  recorded({ id: 'a', eventType: 'medication', name: 'Metformin', frequency: 'as Dr Tarrow directs' }),
  recorded({ id: 'b', eventType: 'medication', name: 'Ramipril', frequency: 'as Dr Marrow directs' }),
  recorded({ id: 'c', eventType: 'condition', name: 'Crohn’s disease' }),
  recorded({ id: 'd', eventType: 'immunization', name: 'Hepatitis B vaccine', eventDate: '1961-04-09' }),
  recorded({ id: 'e', eventType: 'social_history', name: 'Lives with Isolde Crohn' }),
]
const person = { names: ['Maude Crohn'], bornOn: '1961-04-09' }

test('names are hidden in what is sent, and words of medicine are not', (t) => {
  const { question } = askingAbout(events, person)
  const sent = JSON.stringify(question)
  t.notMatch(sent, /Tarrow|Marrow|Isolde|1961/)
  t.match(sent, /Crohn’s disease/)
  t.match(question.events[0], { id: 'e1', name: 'Metformin', frequency: 'as Dr Xxxxxx directs' })
  t.equal(question.events.length, 4, 'the day of birth cannot be hidden: templates tell what is of it')
  t.match(JSON.stringify(askingAbout(events, null).question), /Tarrow.*1961-04-09/, 'unless nothing is to be hidden')
  t.end()
})

test('what was hidden is put back as it is printed, where it is sure whose name it is', (t) => {
  const asking = askingAbout(events, person)
  const tell = (...sentences: (readonly [string, ...string[]])[]) =>
    takeStories(
      [{ title: 'Medicines', sentences: sentences.map(([text, ...ids]) => ({ text, event_ids: ids })) }],
      asking,
    )
  const told = tell(['Metformin as Dr Xxxxxx directs is listed.', 'e1'])
  t.equal(told.stories[0]?.sentences[0]?.sentence, 'Metformin as Dr Tarrow directs is listed.')
  t.match(tell(['Metformin as Dr Tarrow directs is listed.', 'e1']), { kept: 0 }, 'nobody can know what was not sent')
  const both = 'Metformin as Dr Xxxxxx directs is listed; ramipril as Dr Xxxxxx directs is listed.'
  t.match(tell([both, 'e1', 'e2']), { kept: 0, dropped: { names_unclear: 1 } })
  t.end()
})
