import { desc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { breakGlassAccesses } from '../schema/providers.ts'
import type { breakGlassReasons } from '../schema/providers.ts'

export type BreakGlass = typeof breakGlassAccesses.$inferSelect

/** By operators and verified clinicians. Gives the id of what is open: a second call prolongs nothing. */
export async function breakGlass(
  tx: Tx,
  access: {
    readonly patientId: string
    readonly reasonCode: (typeof breakGlassReasons)[number]
    /** The patient reads it. */
    readonly reason: string
    readonly minutes: number
  },
): Promise<string> {
  const [row] = await tx.execute<{ id: string }>(sql`
    select public.break_glass(
      p_patient_id => ${access.patientId}::uuid,
      p_reason_code => ${access.reasonCode},
      p_reason => ${access.reason},
      p_minutes => ${access.minutes}::int
    ) as id`)
  if (row === undefined) throw new Error('break_glass answered nothing')
  return row.id
}

export async function endBreakGlass(tx: Tx, breakGlassId: string): Promise<void> {
  await tx.execute(sql`select public.end_break_glass(${breakGlassId}::uuid)`)
}

/** Newest first; owners of the profile see all of it, others what they broke themselves. */
export async function listBreakGlass(tx: Tx, patientId: string): Promise<BreakGlass[]> {
  return await tx
    .select()
    .from(breakGlassAccesses)
    .where(eq(breakGlassAccesses.patientId, patientId))
    .orderBy(desc(breakGlassAccesses.startsAt), desc(breakGlassAccesses.id))
}
