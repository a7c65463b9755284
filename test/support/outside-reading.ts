import { sql } from 'drizzle-orm'
import { pino } from 'pino'
import { askAsService, asService } from '../../db/actor.ts'
import { claimJobs } from '../../db/queries/claims.ts'
import { Attempt } from '../../worker/engine/attempt.ts'
import { createByteBudget } from '../../worker/engine/byte-budget.ts'
import { createCapacity } from '../../worker/engine/capacity.ts'
import { createRunContext } from '../../worker/engine/run-context.ts'
import { visionLimit } from '../../worker/config.ts'
import { chooseReader } from '../../worker/handlers/outside-ocr.ts'
import { createGoogleVision } from '../../worker/providers/ocr/google-vision.ts'
import type { OcrImage, OcrProvider } from '../../worker/providers/ocr/provider.ts'
import { serve, signUp } from './actors.ts'
import { testDatabase } from './postgres.ts'
import type { Teardown } from './postgres.ts'
import { sample } from './samples.ts'
import { stageRunner } from './stage-runner.ts'
import { startVisionServer } from './vision-server.ts'

const workerId = 'test-worker'

const ours: OcrProvider = {
  name: 'our own',
  version: '1',
  recognise: () => Promise.reject(new Error('our own was not asked')),
  close: () => Promise.resolve(),
}

/** Vision as a job of somebody's asks it: within the fleet's limits and the person's consent. */
export async function outsideReading(t: Teardown) {
  const { db } = await testDatabase(t)
  const vision = await startVisionServer()
  const endpoint = { host: '127.0.0.1', port: vision.port, protocol: 'http' } as const
  const provider = createGoogleVision({ apiKey: 'a-key', timeoutMs: 2_500, endpoint })
  const capacity = createCapacity({ db, workerId, onChange: () => {} })
  t.teardown(async () => {
    await capacity.whenSettled()
    await provider.close()
    await vision.close()
  })
  const person = await signUp(db, 'me')
  const runner = await stageRunner(t, db)

  /** A run of a job of its own. */
  async function begin() {
    await runner.upload(person, sample('lab-report-au.pdf'))
    const [job] = await askAsService(db, (service) =>
      claimJobs(service, {
        workerId,
        types: ['security_scan'],
        lanes: ['fast_queue'],
        max: 1,
        leaseMs: 120_000,
        start: null,
      }),
    )
    if (job === undefined) throw new Error('there is no job')
    const attempt = new Attempt(job)
    const bytes = createByteBudget({ maxBytes: 1_000_000_000, onFreed: () => {} })
    const context = createRunContext(attempt, { db, workerId, log: pino({ level: 'silent' }), bytes, capacity })
    const outsideOcr = { provider, limit: visionLimit }
    const { ocr, use } = await chooseReader({ patientId: person.profileId }, context, { ocr: ours, outsideOcr })
    return { attempt, use, read: (image: OcrImage) => ocr.recognise(image, { signal: context.signal }) }
  }

  return {
    db,
    person,
    vision,
    begin,
    /** How the limit stands once all that was used has been written down. */
    used: async () => {
      await capacity.whenSettled()
      const [row] = await serve(
        db,
        sql`
          select coalesce(rate.blocked_until > now(), false) as is_blocked,
            (select count(*)::int from public.api_capacity_reservations as held
              where held.rate_limit_id = rate.id and held.released_at is null) as in_use,
            coalesce(today.requests, 0) as requests,
            coalesce(today.tokens, 0)::int as pictures,
            coalesce(today.cost_usd, 0)::float as cost_usd
          from public.api_rate_limits as rate
          left join public.api_daily_use as today on today.rate_limit_id = rate.id
          where rate.provider_name = ${visionLimit.provider} and rate.api_endpoint = ${visionLimit.endpoint}`,
      )
      return row
    },
    /** As after a pause that is over, on another day. */
    startAfresh: async () => {
      await capacity.whenSettled()
      await asService(db, {}, async (tx) => {
        await tx.execute(sql`update public.api_rate_limits set blocked_until = null`)
        await tx.execute(sql`delete from public.api_daily_use`)
      })
      capacity.forget(visionLimit)
    },
  }
}
