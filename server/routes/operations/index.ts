import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { asService } from '../../../db/actor.ts'
import { newKey } from '../../../platform/storage/object-key.ts'
import type { Api, RouteDeps } from '../../types.ts'

const checks = z.object({
  database: z.boolean(),
  migrations: z.boolean(),
  storage: z.boolean(),
  /** False while it is full: memory that was taken seldom comes back, so others should have the requests. */
  memory: z.boolean(),
  accepting: z.boolean(),
})
const readiness = z.object({ status: z.enum(['ready', 'not_ready']), checks }).meta({ title: 'Readiness' })
const checkTimeoutMs = 2_000

export function operationRoutes(api: Api, deps: RouteDeps): void {
  const tags = ['operations']
  const startedAt = performance.now()
  let isStopping = false
  api.addHook('preClose', async () => {
    isStopping = true
  })

  api.get(
    '/health',
    {
      config: { budget: 'none' },
      schema: {
        tags,
        summary: 'Alive',
        response: { 200: z.object({ status: z.literal('ok'), environment: z.string(), uptime_seconds: z.int() }) },
      },
    },
    () => ({
      status: 'ok' as const,
      environment: deps.config.environment,
      uptime_seconds: Math.floor((performance.now() - startedAt) / 1000),
    }),
  )

  api.get(
    '/ready',
    {
      config: { budget: 'none' },
      schema: { tags, summary: 'Able to take requests', response: { 200: readiness, 503: readiness } },
    },
    async (_request, reply) => {
      const [database, storage] = await Promise.all([checkDatabase(deps), checkStorage(deps)])
      const memory = !deps.overload.pressures().includes('memory')
      const all = { ...database, storage, memory, accepting: !isStopping }
      const isReady = Object.values(all).every(Boolean)
      const answer = { status: isReady ? ('ready' as const) : ('not_ready' as const), checks: all }
      return await reply
        .code(isReady ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(answer)
    },
  )

  api.get(
    '/metrics',
    { config: { budget: 'none' }, schema: { tags, summary: 'Prometheus', produces: ['text/plain'] } },
    async (_request, reply) => {
      const { contentType, body } = await deps.metrics.expose()
      return await reply.type(contentType).send(body)
    },
  )
}

// That the function which takes uploads is there says that tables and SQL are: it is among the last to be made.
async function checkDatabase({ db }: RouteDeps): Promise<{ database: boolean; migrations: boolean }> {
  const asked = asService(db, {}, async (tx) => {
    const [row] = await tx.execute<{ is_migrated: boolean }>(
      sql`select to_regproc('public.register_shell_file') is not null as is_migrated`,
    )
    return row?.is_migrated === true
  })
  const migrations = await within(asked, null)
  return { database: migrations !== null, migrations: migrations === true }
}

async function checkStorage({ store }: RouteDeps): Promise<boolean> {
  return await within(
    // A key that nobody has: one that no store could have allotted would not be asked for at all.
    store.head(newKey()).then(() => true),
    false,
  )
}

async function within<T, F>(work: Promise<T>, otherwise: F): Promise<T | F> {
  const { promise, resolve } = Promise.withResolvers<F>()
  const timer = setTimeout(() => resolve(otherwise), checkTimeoutMs)
  try {
    return await Promise.race([work.catch(() => otherwise), promise])
  } finally {
    clearTimeout(timer)
  }
}
