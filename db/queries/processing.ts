import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

const yesRow = z.object({ yes: z.boolean() })

/** Services only. In a transaction that holds the lease of one of the patient's jobs the answer stays true to its end. */
export async function processingAllowed(tx: Tx, patientId: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.processing_allowed(${patientId}::uuid) as yes`)
  return yesRow.parse(row).yes
}

/** Cancels a job that may not do its work any more; its stage says why and goes on when it is allowed again. */
export async function stopJob(tx: Tx, jobId: string): Promise<void> {
  await tx.execute(sql`select public.stop_job(${jobId}::uuid)`)
}

const profileRow = z.object({ id: z.string() })

/** Persons with jobs though nothing of theirs may be processed: consents run out without anybody doing anything. */
export async function profilesToStop(tx: Tx, limit: number): Promise<readonly string[]> {
  const rows = await tx.execute(sql`select stopped as id from public.profiles_to_stop(${limit}) as stopped`)
  return rows.map((row) => profileRow.parse(row).id)
}

export async function stopUnallowedProcessing(tx: Tx, profileId: string): Promise<void> {
  await tx.execute(sql`select public.stop_unallowed_processing(${profileId}::uuid)`)
}

/** By the account of the transaction: nothing but keeping and reading (GDPR, article 18). */
export async function restrictProcessing(tx: Tx, profileId: string): Promise<void> {
  await tx.execute(sql`select public.restrict_processing(${profileId}::uuid)`)
}

export async function liftProcessingRestriction(tx: Tx, profileId: string): Promise<void> {
  await tx.execute(sql`select public.lift_processing_restriction(${profileId}::uuid)`)
}
