import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import type { z } from 'zod'
import type * as client from '../../client/types.ts'
import { renderClientTypes } from '../../scripts/client-types/render.ts'
import type { accessLogSchema } from '../../server/routes/access-log/schema.ts'
import type { sessionSchema } from '../../server/routes/auth/schema.ts'
import type { documentListSchema, documentSchema, factListSchema } from '../../server/routes/documents/schema.ts'
import type { processBody } from '../../server/routes/processing/schema.ts'
import type { profileChanges, profileFields, profileListSchema } from '../../server/routes/profiles/schema.ts'
import type { realtimeEventSchema } from '../../server/routes/realtime/schema.ts'
import type { uploadState } from '../../server/routes/uploads/resumable/schema.ts'
import type { permissionSchema, planListSchema, subscriptionBody } from '../../server/routes/usage/schema.ts'
import { scratchRoot } from '../support/scratch.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const tsc = join(root, 'node_modules/.bin/tsc')

test('the types of the client are made of the schemas of the server', async (t) => {
  const file = await readFile(join(root, 'client/types.ts'), 'utf8')
  t.equal(file, renderClientTypes(), 'run `npm run client:types`')
})

test('the client compiles for browsers, and a project of a browser takes what comes out', async (t) => {
  const folder = await mkdtemp(join(scratchRoot(), 'exora-consumer-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await run(tsc, ['-p', join(root, 'client'), '--noEmit', 'false', '--outDir', join(folder, 'client')])
  const compilerOptions = {
    lib: ['ES2022', 'DOM'],
    types: [],
    module: 'esnext',
    moduleResolution: 'bundler',
    target: 'es2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    paths: { 'exora/client': ['./client/index.d.ts'] },
  }
  const files = [join(import.meta.dirname, 'consumer/page.ts')]
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const found = await run(tsc, ['-p', folder]).then(
    () => '',
    (error: unknown) => (error instanceof Error && 'stdout' in error ? error.stdout : error),
  )
  t.equal(found, '')
  const built: unknown = await import(join(folder, 'client/index.js'))
  t.match(built, { createClient: Function, ExoraError: Function })
})

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
/** Whoever writes types from schemas may be wrong: the compiler holds these against what the schemas say themselves. */
export const agreed: readonly [
  Same<client.Session, z.output<typeof sessionSchema>>,
  Same<client.ProfileList, z.output<typeof profileListSchema>>,
  Same<client.NewProfile, z.input<typeof profileFields>>,
  Same<client.ProfileChanges, z.input<typeof profileChanges>>,
  Same<client.AccessLog, z.output<typeof accessLogSchema>>,
  Same<client.ResumableState, z.output<typeof uploadState>>,
  Same<client.Document, z.output<typeof documentSchema>>,
  Same<client.DocumentList, z.output<typeof documentListSchema>>,
  Same<client.FactList, z.output<typeof factListSchema>>,
  Same<client.Processing, z.input<typeof processBody>>,
  Same<client.RealtimeEvent, z.output<typeof realtimeEventSchema>>,
  Same<client.UploadPermission, z.output<typeof permissionSchema>>,
  Same<client.PlanList, z.output<typeof planListSchema>>,
  Same<client.SubscriptionChange, z.input<typeof subscriptionBody>>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true]
