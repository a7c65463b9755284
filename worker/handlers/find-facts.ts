import { codeWithSearch } from '../../clinical/coding/code-search.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { unpackLayout } from '../../clinical/document/stored-layout.ts'
import { codeRows } from '../../clinical/entities/record-change.ts'
import { compareIdentity, type IdentityVerdict, type ProfileIdentity } from '../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../clinical/identity/printed-identity.ts'
import type { Tx } from '../../db/actor.ts'
import { lockRecord, replaceCodes, retractFile } from '../../db/queries/clinical.ts'
import { holdConsent } from '../../db/queries/consents.ts'
import { replaceFoundFacts, saveSession, type NewFact } from '../../db/queries/found-facts.ts'
import { askForIdentityReview, profileNames, type FileInStage } from '../../db/queries/stage-files.ts'
import { searchCodes } from '../../db/queries/terminology.ts'
import { loadText } from '../../db/queries/texts.ts'
import { setStageOutcome } from '../../db/queries/stages.ts'
import { trackAiUsage } from '../../db/queries/ai-usage.ts'
import { defineError } from '../../platform/errors.ts'
import { findFactsAside } from '../pipeline/find-facts-aside.ts'
import { findInFile, type FindRun, type FoundInFile } from '../pipeline/pass1-find.ts'
import type { HandlerDeps, OutsideUse } from './deps.ts'
import { logModelRun, modelRun, noticesOf } from './model-notices.ts'
import { modelWithinLimits } from './model-within-limits.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

export const textMissing = defineError('text_missing', 500, 'This document has not been mapped yet.')

/** Pass 1 and the identity gate: what is not surely this patient's waits for a person, with all its facts and sources. */
export const createFindFacts = (deps: HandlerDeps) =>
  stageHandler('pass1_find', async (file, context): Promise<StageResult> => {
    const startedAtMs = deps.clock.monotonicMs()
    const read = await context.read(async (tx) => ({
      text: await loadText(tx, file.shellFileId),
      profile: await profileNames(tx, file.patientId),
      outsideUse: await outsideUseFor(tx, file, deps),
    }))
    if (read.text === null) throw textMissing()
    const document = unpackLayout(read.text.content, read.text.layout)
    const rules = (each: MappedDocument) => findFactsAside(each, context.signal)
    const { fullName, displayName, dateOfBirth } = read.profile
    const person = { names: [fullName, displayName].filter((name) => name !== null), bornOn: dateOfBirth }
    const ai =
      read.outsideUse === 'asked' && deps.ai !== null
        ? modelWithinLimits({ context, file, ai: deps.ai, use: deps.aiUse, person })
        : null
    const found = await findInFile(document, { rules, ai })
    logModelRun(modelRun(found), context.log)
    const verdict = verdictOn(found, read.profile)
    const gate = file.reviewState === 'accepted' ? ({ ...verdict, verdict: 'match' } as const) : verdict
    const saving = { file, found, gate, textVersion: read.text.version, jobId: context.job.id, startedAtMs }
    return {
      kind: gate.verdict === 'match' ? 'completed' : 'held',
      commit: async (tx) => ({ ...(await saveFindings(tx, saving, deps)), outside_ai: read.outsideUse }),
    }
  })

/** What a model takes for the patient's name or birthday may raise a doubt; it settles none. */
function verdictOn(found: FoundInFile, profile: ProfileIdentity): IdentityVerdict {
  const byRules = compareIdentity(printedIn(found.runs.filter((run) => run !== modelRun(found))), profile)
  return byRules.verdict === 'match' ? compareIdentity(printedIn(found.runs), profile) : byRules
}

const printedIn = (runs: readonly FindRun[]) =>
  printedIdentity(runs.flatMap((run) => run.facts.map(({ fact, sources }) => ({ ...fact, sources }))))

async function outsideUseFor(tx: Tx, { patientId }: FileInStage, { ai }: HandlerDeps): Promise<OutsideUse> {
  if (ai === null) return 'not_configured'
  return (await holdConsent(tx, { patientId, purpose: 'outside_ai' })) ? 'asked' : 'no_consent'
}

type Saving = {
  readonly file: FileInStage
  readonly found: FoundInFile
  readonly gate: IdentityVerdict
  readonly textVersion: number
  readonly jobId: string
  readonly startedAtMs: number
}

async function saveFindings(tx: Tx, saving: Saving, deps: HandlerDeps) {
  const { file, found, gate, textVersion } = saving
  await lockRecord(tx, file.patientId)
  await retractFile(tx, file.shellFileId)
  const facts: NewFact[] = []
  for (const run of found.runs) {
    const sessionId = await saveSession(tx, sessionOf(run, saving))
    facts.push(...run.facts.map((placed) => newFact(placed, gate, sessionId)))
  }
  const { shellFileId, patientId } = file
  const ids = await replaceFoundFacts(tx, { shellFileId, patientId, textVersion }, facts)
  if (gate.verdict !== 'match') {
    await askForIdentityReview(tx, { shellFileId, patientId }, gate.reasons)
    await suggestCodes(tx, patientId, found, ids)
  }
  await setStageOutcome(tx, shellFileId, 'pass1_find', { notices: noticesOf(found) })
  await recordUsage(tx, saving, deps)
  return {
    facts: facts.length,
    refused: found.runs.reduce((sum, run) => sum + run.refused, 0),
    lines_unread: found.linesUnread,
    lines_unanswered: modelRun(found)?.unanswered.lines ?? 0,
    identity: gate.verdict,
  }
}

function sessionOf(run: FindRun, { file, found, jobId }: Saving) {
  return {
    patientId: file.patientId,
    shellFileId: file.shellFileId,
    stage: 'pass1_find' as const,
    jobId,
    provider: run.provider,
    modelRequested: run.modelRequested,
    modelAnswered: run.modelAnswered,
    promptVersion: run.promptVersion,
    tokensIn: run.tokensIn,
    tokensOut: run.tokensOut,
    costUsd: run.costUsd?.toFixed(6) ?? null,
    factsFound: run.facts.length,
    factsRefused: run.refused,
    refusedWhy: run.refusedWhy,
    linesTotal: found.linesTotal,
    linesUnread: found.linesUnread,
    linesUnanswered: run.unanswered.lines,
    charactersUnanswered: run.unanswered.characters,
    unansweredWhy: run.unanswered.why,
  }
}

const heldReasons: { readonly [Reason in IdentityVerdict['reasons'][number]]: string } = {
  name_differs: 'the name on this document is not the name of this profile',
  name_unclear: 'the name on this document is not quite the name of this profile',
  date_of_birth_differs: 'the date of birth on this document is not that of this profile',
  several_people: 'this document names more than one person',
}

function newFact(placed: FindRun['facts'][number], gate: IdentityVerdict, sessionId: string): NewFact {
  const { fact, findingKey, sources } = placed
  const isHeld = gate.verdict !== 'match'
  return {
    findingKey,
    sessionId,
    factType: fact.type,
    factText: fact.text,
    factStatus: fact.status,
    value: fact.value,
    unit: fact.unit,
    referenceRange: fact.referenceRange,
    foundDate: fact.date,
    detail: fact.detail,
    concept: fact.concept,
    strength: fact.strength,
    decision: isHeld ? 'held' : 'found',
    decisionReason: isHeld ? `Waits for you: ${gate.reasons.map((reason) => heldReasons[reason]).join('; ')}.` : null,
    foundByPass: fact.foundBy.pass,
    foundByProvider: fact.foundBy.provider,
    foundByModel: fact.foundBy.model,
    promptVersion: fact.foundBy.promptVersion,
    sources,
  }
}

/** Who has to decide sees the facts as they would be coded; nothing of it is in the record. */
async function suggestCodes(
  tx: Tx,
  patientId: string,
  found: FoundInFile,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const facts = found.runs.flatMap((run) => run.facts)
  const codings = await codeWithSearch(
    facts.map(({ fact }) => fact),
    (sought) => searchCodes(tx, sought),
  )
  const codes = facts.flatMap(({ findingKey }, place) => {
    const [id, coding] = [ids.get(findingKey), codings[place]]
    return id === undefined || coding === undefined ? [] : codeRows(patientId, id, coding)
  })
  await replaceCodes(tx, [...ids.values()], codes)
}

async function recordUsage(tx: Tx, { file, found, jobId, startedAtMs }: Saving, deps: HandlerDeps): Promise<void> {
  const tokens = found.runs.reduce((sum, run) => sum + run.tokensIn + run.tokensOut, 0)
  if (tokens === 0) return
  const seconds = Math.ceil((deps.clock.monotonicMs() - startedAtMs) / 1000)
  await trackAiUsage(tx, { profileId: file.patientId, jobId, tokens, seconds })
}
