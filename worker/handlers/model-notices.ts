/** What people and operators are told of a model's part in pass 1. */
import type { StageNotice } from '../../db/schema/documents.ts'
import type { Logger } from '../../platform/log.ts'
import type { FindRun, FoundInFile } from '../pipeline/pass1-find.ts'

/** The run of a model, where one was asked. */
export function modelRun({ runs }: FoundInFile): FindRun | null {
  return runs.find(({ promptVersion }) => promptVersion !== null) ?? null
}

/** Stand with the file: safe to show, without content. */
export function noticesOf(found: FoundInFile): StageNotice[] {
  const run = modelRun(found)
  if (run === null) return []
  return [...unansweredNotice(run, found), ...(isOtherModel(run) ? [otherModel] : [])]
}

function unansweredNotice({ unanswered, modelAnswered }: FindRun, { linesTotal }: FoundInFile): StageNotice[] {
  const { lines, characters } = unanswered
  if (lines === 0) return []
  const extent = `${lines} of ${linesTotal} lines (${characters} characters)`
  return modelAnswered === null
    ? [
        {
          code: 'model_unavailable',
          message: `The outside model did not answer: ${extent} were read by our own rules alone. Reading again later may find more.`,
        },
      ]
    : [
        {
          code: 'model_partial',
          message: `The outside model left ${extent} unanswered: these were read by our own rules alone.`,
        },
      ]
}

export const otherModel: StageNotice = {
  code: 'other_model',
  message: 'Another model answered than the one that was asked.',
}

const bare = (name: string) => name.split('/').at(-1) ?? name

/** A dated version of the model that was asked for is that model, and so is one without its maker's name. */
export function isOtherModel({
  modelRequested,
  modelAnswered,
}: Pick<FindRun, 'modelRequested' | 'modelAnswered'>): boolean {
  const answered = modelAnswered?.split(', ') ?? []
  const wanted = bare(modelRequested)
  return answered
    .map(bare)
    .some((name) => name !== wanted && !name.startsWith(`${wanted}-`) && !name.startsWith(`${wanted}:`))
}

export function logModelRun(run: FindRun | null, log: Logger): void {
  if (run === null) return
  const { provider, modelRequested: model, unanswered } = run
  const { lines, characters, why } = unanswered
  const told = { event: 'model', provider, model, lines, characters }
  for (const [reason, parts] of Object.entries(why)) {
    const isOperators = reason === 'misconfigured' || reason === 'quota_spent'
    if (isOperators) log.error({ ...told, reason, parts }, 'the model is not to be had: only an operator can mend that')
    else log.warn({ ...told, reason, parts }, 'the model left parts of a document unanswered')
  }
  if (isOtherModel(run)) log.warn({ ...told, reason: 'other_model' }, 'another model answered than was asked')
}
