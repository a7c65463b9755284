import { join } from 'node:path'
import { replacePart } from '../../scripts/quality/document-part.ts'
import type { Answer } from './question.ts'

const page = join(import.meta.dirname, '../../docs/quality.md')

/** The part of docs/quality.md that tells how well files are read. */
export async function writeQuality(answers: ReadonlyMap<string, Answer>): Promise<void> {
  const [errors, speed, whole] = ['errors', 'speed', 'whole'].map((name) => answers.get(name))
  const figures = [...answers.values()].flatMap((answer) => answer.figures)
  await replacePart(page, 'reading', [
    '## How well and how quickly files are read',
    '',
    'Written by `npm run bench -- reading`. Errors are those of the development corpus, by its own scorer; speed is measured on made',
    'documents, beside other readers of the same files in the same run.',
    '',
    ...tableOf(
      figures.map(({ name, value, goal, holds }) => ({ figure: name, value, goal, holds: holds ? 'yes' : '**no**' })),
    ),
    '',
    '![Characters read wrongly, by condition of the page](../bench/results/reading-errors.svg)',
    '',
    'Error: each word of the truth against what was read in its place. In reading order: the whole text of the page against the printed one.',
    '',
    ...tableOf(errors?.table ?? []),
    '',
    '![Time to read a scanned page](../bench/results/reading-speed.svg)',
    '',
    ...tableOf(speed?.table ?? []),
    '',
    'A real worker on one core, from the upload to the mapped text; memory is that of the worker and all its children:',
    '',
    ...tableOf(whole?.table ?? []),
    '',
  ])
}

function tableOf(rows: readonly Readonly<Record<string, string | number>>[]): string[] {
  const names = Object.keys(rows[0] ?? {})
  return [
    `| ${names.join(' | ')} |`,
    `|${names.map(() => '---|').join('')}`,
    ...rows.map((row) => `| ${names.map((name) => row[name]).join(' | ')} |`),
  ]
}
