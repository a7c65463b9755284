import { createHash, randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { asActor, asService } from '../../db/actor.ts'
import type { Actor } from '../../db/actor.ts'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { ratioFigure } from './figure.ts'
import type { Figure } from './figure.ts'

const rounds = 12
const uploadsPerRound = 40
const limit = 1.2

/** The transaction of an upload with the trigger that audits files, and without it; commits reach the disk. */
export async function measureAudit(urls: { readonly owner: string; readonly app: string }): Promise<Figure[]> {
  const db = openDatabase({ url: urls.app, applicationName: 'exora-bench', max: 1 })
  const owner = postgres(urls.owner, { max: 1, onnotice: () => {} })
  const person = await signUp(db)
  const samples = { measured: [] as number[], baseline: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      await owner.unsafe(`alter table shell_files ${side === 'measured' ? 'enable' : 'disable'} trigger audit`)
      for (let index = 0; index < uploadsPerRound; index += 1) {
        const startedAt = performance.now()
        await upload(db, person)
        // The first round warms up.
        if (round > 0) samples[side].push(performance.now() - startedAt)
      }
    }
  }
  await owner.unsafe('alter table shell_files enable trigger audit')
  await owner.end()
  await db.close()
  const figure = ratioFigure('audit: transaction of an upload', samples, limit)
  console.log(figure)
  return [figure]
}

const sides = ['measured', 'baseline'] as const

type Person = { readonly actor: Actor; readonly profileId: string }

async function signUp(db: Database): Promise<Person> {
  const accountId = randomUUID()
  const [row] = await asService(db, {}, (tx) =>
    tx.execute<{ id: string }>(sql`select public.provision_account(${accountId}, 'bench@example.test', 'Bench') as id`),
  )
  if (row === undefined) throw new Error('nobody was signed up')
  return { actor: { accountId, role: 'authenticated', claims: {}, correlationId: 'bench' }, profileId: row.id }
}

async function upload(db: Database, { actor, profileId }: Person): Promise<void> {
  await asActor(db, actor, (tx) =>
    tx.execute(sql`
      select public.register_shell_file(
        p_shell_file_id => ${randomUUID()}, p_patient_id => ${profileId}, p_filename => 'letter.pdf',
        p_mime_type => 'application/pdf', p_size_bytes => 1000,
        p_sha256 => ${createHash('sha256').update(randomUUID()).digest('hex')}, p_storage_key => ${randomUUID()}
      )`),
  )
}
