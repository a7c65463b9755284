import { narrateFile, templateModel } from '../../clinical/narration/narrate.ts'
import type { RecordedEvent, Storyline } from '../../clinical/narration/recorded-event.ts'
import type { Tx } from '../../db/actor.ts'
import { trackAiUsage } from '../../db/queries/ai-usage.ts'
import { lockRecord } from '../../db/queries/clinical.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import { saveSession } from '../../db/queries/found-facts.ts'
import { readingsOf, recordOfFile, replaceNarratives } from '../../db/queries/narratives.ts'
import { profileNames, type FileInStage } from '../../db/queries/stage-files.ts'
import { askingAbout, takeStories, type Asking, type ModelTold } from '../pipeline/narrate-by-model.ts'
import type { NarrateAnswer, Narrator } from '../providers/narration/provider.ts'
import type { RunContext } from '../engine/handler.ts'
import type { HandlerDeps, OutsideUse } from './deps.ts'
import { answerOrNone } from './ask-narrator.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/**
 * Pass 3. What is told is settled in the transaction that stores it: a sentence cannot cite an event that went away or
 * was changed while a model wrote about it.
 */
export const createNarrateFacts = (deps: HandlerDeps) =>
  stageHandler('pass3_narrate', async (file, context): Promise<StageResult> => {
    const startedAtMs = deps.clock.monotonicMs()
    const { outsideUse, asking } = await context.read(async (tx) => {
      const use = await outsideUseFor(tx, file, deps)
      return { outsideUse: use, asking: use === 'asked' ? await askingOf(tx, file) : null }
    })
    const { narrator } = deps
    const told = narrator === null || asking === null ? null : await tellByModel(context, file, narrator, asking)
    return {
      kind: 'completed',
      commit: async (tx) => {
        // What changes in the record while this is stored is told again; what changed before is read here.
        await lockRecord(tx, file.patientId)
        const events = await recordOfFile(tx, file.shellFileId)
        const byModel = told === null ? [] : stillTrue(told, events)
        const rest = withoutTold(events, byModel)
        const byTemplates = narrateFile(rest, await readingsOf(tx, file.patientId, codesOf(rest)))
        const { shellFileId, patientId } = file
        await replaceNarratives(tx, { shellFileId, patientId }, [
          ...byModel.map((story) => ({ ...story, ...writtenBy(told) })),
          ...byTemplates.map((story) => ({ ...story, ...byUs })),
        ])
        if (told !== null) {
          await saveRun(tx, told, file, context)
          const seconds = Math.ceil((deps.clock.monotonicMs() - startedAtMs) / 1000)
          await recordUsage(tx, told.answer, { file, context, seconds })
        }
        const stories = [...byModel, ...byTemplates]
        return { storylines: stories.length, sentences: sentencesIn(stories), outside_ai: outsideUse, ...fateOf(told) }
      },
    }
  })

const byUs = { provider: 'local', model: templateModel, promptVersion: null }

async function outsideUseFor(tx: Tx, { patientId }: FileInStage, { narrator }: HandlerDeps): Promise<OutsideUse> {
  if (narrator === null) return 'not_configured'
  return (await holdConsent(tx, { patientId, purpose: 'outside_ai' })) ? 'asked' : 'no_consent'
}

/** null: there is nothing to tell. */
async function askingOf(tx: Tx, { shellFileId, patientId }: FileInStage): Promise<Asking | null> {
  const { fullName, displayName, dateOfBirth } = await profileNames(tx, patientId)
  const names = [fullName, displayName].filter((name) => name !== null)
  const asking = askingAbout(await recordOfFile(tx, shellFileId), { names, bornOn: dateOfBirth })
  return asking.events.size === 0 ? null : asking
}

type Told = {
  readonly narrator: Narrator
  readonly asking: Asking
  readonly answer: NarrateAnswer
  /** null: no answer that could be taken in. */
  readonly taken: ModelTold | null
}

async function tellByModel(
  context: RunContext,
  file: FileInStage,
  narrator: Narrator,
  asking: Asking,
): Promise<Told | null> {
  const answer = await answerOrNone(context, file, narrator, asking.question)
  if (answer === null) return null
  const { outcome } = answer
  return {
    narrator,
    asking,
    answer,
    taken: outcome.kind === 'stories' ? takeStories(outcome.stories, asking.events) : null,
  }
}

/** Without sentences about events that are no longer what the model was shown; nothing where too little was left of it. */
function stillTrue({ taken, asking }: Told, events: readonly RecordedEvent[]): readonly Storyline[] {
  if (taken === null || !taken.isEnough) return []
  const shown = new Map([...asking.events.values()].map((event) => [event.id, JSON.stringify(event)]))
  const same = new Set(events.flatMap((event) => (shown.get(event.id) === JSON.stringify(event) ? [event.id] : [])))
  return taken.stories
    .map((story) => ({
      ...story,
      sentences: story.sentences.filter((sentence) => sentence.citedEventIds.every((id) => same.has(id))),
    }))
    .filter((story) => story.sentences.length > 0)
}

function withoutTold(events: readonly RecordedEvent[], stories: readonly Storyline[]): RecordedEvent[] {
  const told = new Set(stories.flatMap((story) => story.sentences.flatMap((sentence) => sentence.citedEventIds)))
  return events.filter((event) => !told.has(event.id))
}

const codesOf = (events: readonly RecordedEvent[]) => [
  ...new Set(events.flatMap((event) => (event.code === null ? [] : [event.code]))),
]

const writtenBy = (told: Told | null) =>
  told === null
    ? byUs
    : {
        provider: told.narrator.name,
        model: told.answer.modelAnswered,
        promptVersion: told.narrator.promptVersion,
      }

const sentencesIn = (stories: readonly Storyline[]) => stories.reduce((sum, story) => sum + story.sentences.length, 0)

/** What became of the model's sentences: counts, no content. */
function fateOf(told: Told | null) {
  if (told === null) return {}
  const { taken, answer } = told
  const dropped = Object.values(taken?.dropped ?? {}).reduce((sum, count) => sum + count, 0)
  return { model_outcome: answer.outcome.kind, sentences_kept: taken?.kept ?? 0, sentences_dropped: dropped }
}

async function saveRun(tx: Tx, { narrator, answer }: Told, file: FileInStage, context: RunContext): Promise<void> {
  await saveSession(tx, {
    patientId: file.patientId,
    shellFileId: file.shellFileId,
    stage: 'pass3_narrate',
    jobId: context.job.id,
    provider: narrator.name,
    modelRequested: narrator.model,
    modelAnswered: answer.modelAnswered,
    promptVersion: narrator.promptVersion,
    tokensIn: answer.tokensIn,
    tokensOut: answer.tokensOut,
    costUsd: answer.costUsd?.toFixed(6) ?? null,
  })
}

type Spending = { readonly file: FileInStage; readonly context: RunContext; readonly seconds: number }

async function recordUsage(tx: Tx, answer: NarrateAnswer, { file, context, seconds }: Spending): Promise<void> {
  const tokens = answer.tokensIn + answer.tokensOut
  if (tokens === 0) return
  await trackAiUsage(tx, { profileId: file.patientId, jobId: context.job.id, tokens, seconds })
}
