import type { SoakReport } from './run.ts'

const mostShown = 5

export function tellReport({ findings, figures }: SoakReport): readonly string[] {
  return [
    '',
    ...figures.map(({ name, value, goal }) => `${name.padEnd(48)} ${value}${goal === null ? '' : `  (goal ${goal})`}`),
    '',
    ...findings.flatMap(({ name, against, look }) =>
      against.length === 0
        ? [`holds      ${name}`]
        : [
            `NOT TRUE   ${name}: ${against.length}`,
            ...against.slice(0, mostShown).map((what) => `             ${what}`),
            `             look at: ${look}`,
          ],
    ),
  ]
}
