import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'

/** When something recurring is due. Slots are the database's: no clock of a worker counts. */
export type ScheduleRule = {
  readonly name: string
  readonly slots:
    | { readonly everySeconds: number }
    /** `HH:MM`; in the zone that operators have chosen (`schedules.time_zone`) when none is named. */
    | { readonly dailyAt: string; readonly timeZone?: string }
  /** Of slots that passed while nobody could begin them the newest is run, unless this says otherwise. */
  readonly missed?:
    | { readonly run: 'each'; readonly atMost: number }
    | { readonly run: 'skip'; readonly olderThanSeconds: number }
}

export type DueSlots = {
  readonly begun: readonly string[]
  /** Jobs of schedules that could be claimed now. */
  readonly waiting: number
  /** Until something more is due; null: nothing is known of. */
  readonly nextInMs: number | null
}

const dueRow = z.object({ begun: z.array(z.string()), waiting: z.number(), next_in_ms: z.number().nullable() })

/** Makes a job of each slot that is due: one per slot, whatever the number of workers. */
export async function beginDueSlots(tx: Tx, rules: readonly ScheduleRule[]): Promise<DueSlots> {
  const rows = JSON.stringify(rules.map(ruleRow))
  const [row] = await tx.execute(
    sql`select begun, waiting, next_in_ms from public.begin_due_slots(${rows}::text::jsonb)`,
  )
  const { begun, waiting, next_in_ms: nextInMs } = dueRow.parse(row)
  return { begun, waiting, nextInMs }
}

function ruleRow({ name, slots, missed }: ScheduleRule) {
  return {
    name,
    ...('everySeconds' in slots
      ? { every_seconds: slots.everySeconds }
      : { daily_at: slots.dailyAt, time_zone: slots.timeZone }),
    catch_up: missed?.run ?? 'latest',
    ...(missed?.run === 'each' && { max_missed: missed.atMost }),
    ...(missed?.run === 'skip' && { grace_seconds: missed.olderThanSeconds }),
  }
}

/** What the code of a worker that starts does not have is not begun any more, and operators see that. */
export async function removeOtherSchedules(tx: Tx, names: readonly string[]): Promise<void> {
  const known = JSON.stringify(names)
  await tx.execute(
    sql`select public.remove_other_schedules(array(select jsonb_array_elements_text(${known}::text::jsonb)))`,
  )
}

const removedRow = z.object({ removed: z.boolean() })

export async function isScheduleRemoved(tx: Tx, name: string): Promise<boolean> {
  const [row] = await tx.execute(sql`select public.is_schedule_removed(${name}) as removed`)
  return removedRow.parse(row).removed
}

export async function finishScheduleSlot(
  tx: Tx,
  run: { readonly name: string; readonly durationMs: number; readonly errorCode: string | null },
): Promise<void> {
  await tx.execute(
    sql`select public.finish_schedule_slot(${run.name}, ${Math.round(run.durationMs)}, ${run.errorCode})`,
  )
}
