import { countDeadLetters, readDeadLetters } from './operations.ts'
import type { DeadLetter, DeadLetterCount, DeadLetterFilter } from './operations.ts'
import { operate } from './answer.ts'
import type { Answer, QueueDeps } from './answer.ts'
import { age, count, left, paint, right, several, table } from './table.ts'

export async function showDeadLetters(deps: QueueDeps, filter: DeadLetterFilter, limit: number): Promise<Answer> {
  const { counts, letters } = await operate(deps, async (tx) => ({
    counts: await countDeadLetters(tx, filter),
    letters: await readDeadLetters(tx, filter, limit),
  }))
  const total = counts.reduce((sum, kind) => sum + kind.dead, 0)
  if (total === 0) return { lines: ['No dead letters.'], json: { total, counts, dead_letters: [] }, exitCode: 1 }
  return {
    lines: [
      ...countsTable(counts),
      '',
      ...lettersTable(letters),
      ...(letters.length < total ? [`… and ${count(total - letters.length)} older ones (--limit)`] : []),
      '',
      advice(counts),
    ],
    json: { total, counts, dead_letters: letters },
    exitCode: 0,
  }
}

const countsTable = (counts: readonly DeadLetterCount[]): string[] =>
  table(
    [left('type'), left('code'), right('dead'), right('oldest'), right('newest'), left('')],
    counts.map((kind) => [
      kind.job_type,
      kind.error_code ?? '–',
      count(kind.dead),
      age(kind.oldest_seconds),
      age(kind.newest_seconds),
      '',
    ]),
  )

const lettersTable = (letters: readonly DeadLetter[]): string[] =>
  table(
    [
      left('job'),
      left('type'),
      left('lane'),
      left('code'),
      right('attempts'),
      right('replays'),
      right('age'),
      left('said'),
    ],
    letters.map((letter) => [
      letter.job_id,
      letter.job_type,
      letter.job_lane,
      letter.error_code ?? '–',
      String(letter.attempts),
      String(letter.replays),
      age(letter.dead_seconds),
      letter.error_message ?? '',
    ]),
  )

/** For the most frequent kind: mend its cause, then replay that kind alone. */
function advice([most]: readonly DeadLetterCount[]): string {
  if (most === undefined) return ''
  const code = most.error_code === null ? '' : ` --code ${most.error_code}`
  const kind = several(most.dead, most.job_type)
  return paint(
    'yellow',
    `! Mend the cause first; then ${kind}: npm run queue -- retry --all --type ${most.job_type}${code}`,
  )
}
