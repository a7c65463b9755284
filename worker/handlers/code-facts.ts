import { datesOfFile } from '../../clinical/coding/file-dates.ts'
import { readFactDetail, readFoundDate } from '../../clinical/document/stored-fact.ts'
import { planRecordChange } from '../../clinical/entities/record-change.ts'
import { factsOfOthers } from '../../clinical/identity/facts-of-others.ts'
import { compareIdentity } from '../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../clinical/identity/printed-identity.ts'
import { lockRecord, saveRecordChange } from '../../db/queries/clinical.ts'
import { decidedFacts, loadFacts, type StoredFact } from '../../db/queries/found-facts.ts'
import { searchCodes } from '../../db/queries/terminology.ts'
import { profileNames } from '../../db/queries/stage-files.ts'
import { codeFacts, type FactToCode } from '../pipeline/pass2-code.ts'
import type { HandlerDeps } from './deps.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/** Pass 2: the file's facts enter the record, each once, or stay outside with a reason. What people decided stands. */
export const createCodeFacts = (deps: HandlerDeps) =>
  stageHandler('pass2_code', async (file, context): Promise<StageResult> => {
    const { stored, profile } = await context.read(async (tx) => ({
      stored: await loadFacts(tx, file.shellFileId),
      profile: await profileNames(tx, file.patientId),
    }))
    const printed = stored.map(printedFact)
    const facts = printed.filter((_, place) => stored[place]?.review === 'unreviewed')
    const said = printed.filter((_, place) => stored[place] !== undefined && isSaidByRules(stored[place]))
    // Whose document it is does not depend on which of its facts people have looked at.
    const named = printedIdentity(said)
    const identity = file.reviewState === 'accepted' ? 'accepted' : compareIdentity(named, profile).basis
    const today = deps.clock.now().toISOString().slice(0, 10)
    const ofOthers = factsOfOthers(said, profile)
    const coded = await codeFacts(
      facts,
      {
        identity,
        birthDate: profile.dateOfBirth,
        today,
        file: datesOfFile(printed, { documentDate: file.documentDate, today }),
        ofOthers,
      },
      { searchCodes: (sought) => context.read((tx) => searchCodes(tx, sought)) },
    )
    return {
      kind: 'completed',
      commit: async (tx) => {
        await lockRecord(tx, file.patientId)
        const { shellFileId, patientId } = file
        // Somebody may have decided while this was coding: what they decided stands.
        const decided = await decidedFacts(tx, shellFileId)
        const undecided = coded.filter(({ id }) => !decided.has(id))
        const told = await saveRecordChange(tx, shellFileId, planRecordChange({ shellFileId, patientId }, undecided))
        return { facts: facts.length, ...told }
      },
    }
  })

/** Whom a model takes for the patient may raise a doubt in pass 1; it keeps nothing out here, and lets nothing in. */
const isSaidByRules = ({ factType, promptVersion }: StoredFact) => factType !== 'identity' || promptVersion === null

const printedFact = (stored: StoredFact) => ({ ...factToCode(stored), sources: stored.sources })

function factToCode(stored: StoredFact): FactToCode {
  return {
    id: stored.id,
    type: stored.factType,
    text: stored.factText,
    status: stored.factStatus,
    value: stored.value,
    unit: stored.unit,
    referenceRange: stored.referenceRange,
    date: readFoundDate(stored.foundDate),
    detail: readFactDetail(stored.detail),
    concept: stored.concept,
    strength: stored.strength === 'strong' || stored.strength === 'fair' ? stored.strength : 'weak',
    wordConfidence01: Math.min(1, ...stored.sources.map((source) => source.confidence01)),
  }
}
