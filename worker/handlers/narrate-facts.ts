import { narrateFile, templateModel } from '../../clinical/narration/narrate.ts'
import type { RecordedEvent, Storyline } from '../../clinical/narration/recorded-event.ts'
import type { Tx } from '../../db/actor.ts'
import { trackAiUsage } from '../../db/queries/ai-usage.ts'
import { lockRecord } from '../../db/queries/clinical.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import { saveSession } from '../../db/queries/found-facts.ts'
import { setStageOutcome } from '../../db/queries/stages.ts'
import type { StageNotice } from '../../db/schema/documents.ts'
import { isOtherModel, otherModel } from './model-notices.ts'
import { readingsOf, recordOfFile, replaceNarratives } from '../../db/queries/narratives.ts'
import { profileNames, type FileInStage } from '../../db/queries/stage-files.ts'
import { askingAbout, takeStories, type Asking, type ModelTold } from '../pipeline/narrate-by-model.ts'
import type { NarrateAnswer, Narrator } from '../providers/narration/provider.ts'
import type { RunContext } from '../engine/handler.ts'
import type { AiUse, HandlerDeps, OutsideUse } from './deps.ts'
import { askNarrator, type Narrated } from './ask-narrator.ts'
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
      return { outsideUse: use, asking: use === 'asked' ? await askingOf(tx, file, deps.aiUse) : null }
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
        await setStageOutcome(tx, shellFileId, 'pass3_narrate', { notices: narratorNotices(told) })
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
async function askingOf(tx: Tx, { shellFileId, patientId }: FileInStage, use: AiUse): Promise<Asking | null> {
  const { fullName, displayName, dateOfBirth } = await profileNames(tx, patientId)
  const names = [fullName, displayName].filter((name) => name !== null)
  const hidden = use.deidentify ? { names, bornOn: dateOfBirth } : null
  const asking = askingAbout(await recordOfFile(tx, shellFileId), hidden)
  return asking.events.size === 0 ? null : asking
}

type Told = {
  readonly narrator: Narrator
  readonly asking: Asking
  /** null: none was to be had. */
  readonly answer: NarrateAnswer | null
  /** Why there is none, or none of use: the words of `unansweredReasons`. */
  readonly why: string | null
  /** null: no answer that could be taken in. */
  readonly taken: ModelTold | null
}

async function tellByModel(context: RunContext, file: FileInStage, narrator: Narrator, asking: Asking): Promise<Told> {
  const narrated = await askNarrator(context, file, narrator, asking.question)
  const answer = narrated.kind === 'answered' ? narrated.answer : null
  const stories = answer?.outcome.kind === 'stories' ? answer.outcome.stories : null
  const taken = stories === null ? null : takeStories(stories, asking)
  return { narrator, asking, answer, why: whyNot(narrated), taken }
}

function whyNot(narrated: Narrated): string | null {
  if (narrated.kind === 'not_had') return narrated.why
  const { kind } = narrated.answer.outcome
  return kind === 'stories' ? null : kind
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

/** Stand with the file: safe to show, without content. */
function narratorNotices(told: Told | null): StageNotice[] {
  if (told === null) return []
  const { answer, narrator, why } = told
  const isTold = why === null && told.taken?.isEnough === true
  return [
    ...(isTold ? [] : [notTold]),
    ...(answer !== null && isOtherModel({ modelRequested: narrator.model, modelAnswered: answer.modelAnswered })
      ? [otherModel]
      : []),
  ]
}

const notTold: StageNotice = {
  code: 'model_not_told',
  message: 'The outside model did not tell this document: its sentences are those of our own templates.',
}

const writtenBy = (told: Told | null) =>
  told === null
    ? byUs
    : {
        provider: told.narrator.name,
        model: told.answer?.modelAnswered ?? told.narrator.model,
        promptVersion: told.narrator.promptVersion,
      }

const sentencesIn = (stories: readonly Storyline[]) => stories.reduce((sum, story) => sum + story.sentences.length, 0)

/** What became of the model's sentences: counts, no content. */
function fateOf(told: Told | null) {
  if (told === null) return {}
  const { taken, answer, why } = told
  const dropped = Object.values(taken?.dropped ?? {}).reduce((sum, count) => sum + count, 0)
  return { model_outcome: answer?.outcome.kind ?? why, sentences_kept: taken?.kept ?? 0, sentences_dropped: dropped }
}

async function saveRun(tx: Tx, { narrator, answer, why }: Told, file: FileInStage, context: RunContext): Promise<void> {
  await saveSession(tx, {
    patientId: file.patientId,
    shellFileId: file.shellFileId,
    stage: 'pass3_narrate',
    jobId: context.job.id,
    provider: narrator.name,
    modelRequested: narrator.model,
    modelAnswered: answer?.modelAnswered ?? null,
    promptVersion: narrator.promptVersion,
    tokensIn: answer?.tokensIn ?? 0,
    tokensOut: answer?.tokensOut ?? 0,
    costUsd: answer === null ? '0' : (answer.costUsd?.toFixed(6) ?? null),
    unansweredWhy: why === null ? {} : { [why]: 1 },
  })
}

type Spending = { readonly file: FileInStage; readonly context: RunContext; readonly seconds: number }

async function recordUsage(tx: Tx, answer: NarrateAnswer | null, { file, context, seconds }: Spending): Promise<void> {
  const tokens = (answer?.tokensIn ?? 0) + (answer?.tokensOut ?? 0)
  if (tokens === 0) return
  await trackAiUsage(tx, { profileId: file.patientId, jobId: context.job.id, tokens, seconds })
}
