import t from 'tap'
import { stages } from '../../db/schema/documents.ts'
import { killInStages } from './kill-in-stages.ts'

t.setTimeout(280_000)

void t.test('workers killed in the middle of each stage lose nothing and double nothing', async (test) => {
  // Short, as the next worker has to wait until it has run out.
  const repeated = await killInStages(test, { moment: 'end', in: stages, leaseSeconds: 2 })
  test.same(repeated, stages, 'what had not committed was done again')
})
