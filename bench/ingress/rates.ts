import { barChart } from '../../scripts/plots/bar-chart.ts'
import { median, quantile, rotated, rounded } from '../statistics.ts'
import { uploadFor } from './load.ts'
import type { LoadResult } from './load.ts'
import type { Answer, Bench, Question } from './question.ts'
import { atLeast, atMost } from './question.ts'

const kinds = [
  { bytes: 50_000, connections: 50 },
  { bytes: 50_000, connections: 1_000 },
  { bytes: 1_000_000, connections: 50 },
  { bytes: 1_000_000, connections: 1_000 },
] as const
const warmUpSeconds = 2
const seconds = 6

type Kind = (typeof kinds)[number]
type Measured = { readonly perSecond: number; readonly p50: number; readonly p99: number; readonly failed: number }
type Side = 'exora' | 'bare'

/** The whole way of an upload beside the least that any upload costs, on the same disk and the same PostgreSQL. */
export const rates: Question = {
  name: 'rates',
  asks: 'uploads/s and their p99, full path beside a bare server',
  async answer(bench) {
    const rows: { readonly kind: Kind; readonly sides: Readonly<Record<Side, readonly Measured[]>> }[] = []
    for (const kind of kinds) {
      const sides: Record<Side, Measured[]> = { exora: [], bare: [] }
      for (let round = 0; round < bench.rounds; round += 1) {
        for (const side of rotated(['exora', 'bare'] as const, round)) {
          const measured = await measure(bench, side, kind)
          sides[side].push(measured)
          bench.say(`${nameOf(kind)}, round ${round + 1}, ${side}: ${measured.perSecond}/s, p99 ${measured.p99} ms`)
        }
      }
      rows.push({ kind, sides })
    }
    return answerOf(rows)
  },
}

async function measure(bench: Bench, side: Side, { bytes, connections }: Kind): Promise<Measured> {
  await bench.settle()
  const server = await bench.start(side)
  const people = bench.uploaders.slice(0, connections)
  const result = await uploadFor({ address: server.address, people, bytes, warmUpSeconds, seconds })
  await server.stop()
  await bench.forget(side)
  return measuredOf(result)
}

function measuredOf({ seconds: took, waits, statuses, broken }: LoadResult): Measured {
  const failed = Object.entries(statuses).reduce((sum, [status, count]) => sum + (status === '201' ? 0 : count), broken)
  return {
    perSecond: rounded((statuses['201'] ?? 0) / took, 1),
    p50: rounded(quantile(waits, 0.5), 1),
    p99: rounded(quantile(waits, 0.99), 1),
    failed,
  }
}

function answerOf(
  rows: readonly { readonly kind: Kind; readonly sides: Readonly<Record<Side, readonly Measured[]>> }[],
): Answer {
  const of = (measured: readonly Measured[], part: keyof Measured) => median(measured.map((one) => one[part]))
  const failed = rows.flatMap(({ sides }) => sides.exora).reduce((sum, one) => sum + one.failed, 0)
  return {
    figures: [
      ...rows.flatMap(({ kind, sides }) => [
        atLeast(`${nameOf(kind)}: uploads/s, of a bare server`, ratio(sides, of, 'perSecond'), 0.7),
        atMost(`${nameOf(kind)}: p99, of a bare server`, ratio(sides, of, 'p99'), 2),
      ]),
      atMost('uploads that failed', failed, 0),
    ],
    table: rows.flatMap(({ kind, sides }) =>
      (['exora', 'bare'] as const).map((side) => ({
        uploads: nameOf(kind),
        side,
        per_second: of(sides[side], 'perSecond'),
        p50_ms: of(sides[side], 'p50'),
        p99_ms: of(sides[side], 'p99'),
      })),
    ),
    details: { seconds, rounds: rows.map(({ kind, sides }) => ({ ...kind, ...sides })) },
    plots: [
      barChart({
        name: 'rates',
        title: 'Uploads taken',
        unit: 'uploads/s, more is better',
        bars: rows.flatMap(({ kind, sides }) =>
          (['exora', 'bare'] as const).map((label) => ({
            label,
            group: nameOf(kind),
            value: of(sides[label], 'perSecond'),
          })),
        ),
      }),
    ],
  }
}

const ratio = (
  sides: Readonly<Record<Side, readonly Measured[]>>,
  of: (measured: readonly Measured[], part: keyof Measured) => number,
  part: keyof Measured,
) => rounded(of(sides.exora, part) / of(sides.bare, part))

const nameOf = ({ bytes, connections }: Kind) =>
  `${bytes < 1_000_000 ? `${bytes / 1_000} kB` : `${bytes / 1_000_000} MB`}, ${connections} connections`
