import t from 'tap'
import { killInStages } from './kill-in-stages.ts'

t.setTimeout(280_000)

void t.test('workers killed while the database commits lose nothing and double nothing', async (test) => {
  const deaths = { moment: 'commit', in: ['ocr', 'pass2_code', 'pass3_narrate'], leaseSeconds: 30 } as const
  const repeated = await killInStages(test, deaths)
  test.same(repeated, [], 'what had committed was not done again')
})
