import { asService, type Tx } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { saveRecordChange, type CodedFactRow } from '../../db/queries/clinical.ts'
import { replaceFoundFacts, saveSession, type NewFact, type NewSource } from '../../db/queries/found-facts.ts'
import type { Account } from './actors.ts'
import { upload } from './factories.ts'

export type File = { readonly shellFileId: string; readonly patientId: string }

export const source = (changes: Partial<NewSource> = {}): NewSource => ({
  role: 'name',
  pageNumber: 1,
  textStart: 10,
  textLength: 7,
  quote: 'Aspirin',
  x0: 0.1,
  y0: 0.1,
  x1: 0.2,
  y1: 0.12,
  confidence01: 1,
  ...changes,
})

export const fact = (sessionId: string, changes: Partial<NewFact> = {}): NewFact => ({
  findingKey: 'medication:10+7:-',
  sessionId,
  factType: 'medication',
  factText: 'Aspirin',
  factStatus: 'present',
  value: '100',
  unit: 'mg',
  referenceRange: null,
  foundDate: { iso: '2021-02', printed: 'Feb 2021', meaning: 'started', certainty: 'printed' },
  detail: {},
  concept: 'medications:aspirin',
  strength: 'strong',
  decision: 'found',
  decisionReason: null,
  foundByPass: 1,
  foundByProvider: 'local',
  foundByModel: 'rules',
  promptVersion: null,
  sources: [source()],
  ...changes,
})

export async function makeFile(db: Database, by: Account): Promise<File> {
  return { shellFileId: (await upload(db, by)).shell_file_id, patientId: by.profileId }
}

export async function makeSession(tx: Tx, file: File): Promise<string> {
  return await saveSession(tx, {
    ...file,
    stage: 'pass1_find',
    provider: 'local',
    modelRequested: 'rules',
    modelAnswered: 'rules',
  })
}

/** Finds facts as pass 1 does; the ids in the order given. */
export async function find(db: Database, file: File, changes: readonly Partial<NewFact>[] = [{}]): Promise<string[]> {
  return await asService(db, {}, async (tx) => {
    const sessionId = await makeSession(tx, file)
    const ids = await replaceFoundFacts(
      tx,
      { ...file, textVersion: 1 },
      changes.map((each) => fact(sessionId, each)),
    )
    return [...ids.values()]
  })
}

/** Admits a fact as pass 2 does: as an event of its own, or as one more source of what says the same. */
export async function admit(db: Database, file: File, factId: string): Promise<void> {
  await asService(db, {}, (tx) =>
    saveRecordChange(tx, file.shellFileId, {
      facts: [admitted(factId)],
      codes: [
        { ...code(file, factId, '999'), rank: 0, isSelected: false },
        { ...code(file, factId, '1191'), rank: 1 },
      ],
    }),
  )
}

export const admitted = (id: string): CodedFactRow => ({
  id,
  decisionReason: null,
  confidence: 'high',
  confidenceReason: null,
  entry: {
    kind: 'event',
    hub: { eventType: 'medication', assertion: 'present', mergeKey: 'aspirin#' },
    spoke: { table: 'patient_medications', row: { name: 'Aspirin' } },
  },
})

export const code = ({ patientId }: File, factId: string, value: string) => ({
  factId,
  patientId,
  codeSystem: 'RxNorm',
  code: value,
  display: 'aspirin',
  score01: 1,
  method: 'concept',
  isSelected: true,
})
