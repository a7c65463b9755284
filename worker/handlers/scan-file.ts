import type { Tx } from '../../db/actor.ts'
import { noteOnFile } from '../../db/queries/stage-files.ts'
import { setStageOutcome } from '../../db/queries/stages.ts'
import { withLocalFile } from '../../platform/storage/local-file.ts'
import { outcomeOf } from '../pipeline/scan/outcome.ts'
import { scanFile } from '../pipeline/scan/scan-file.ts'
import type { HandlerDeps } from './deps.ts'
import { stageHandler, type StageResult } from './stage-handler.ts'

/** Nothing is rendered, read or served before the verdict; a file that is refused fails at once and for good. */
export const createScanFile = (deps: HandlerDeps) =>
  stageHandler('security_scan', async (file, context): Promise<StageResult> => {
    const { store, malware, maxPages } = deps
    const { signal } = context
    const verdict = await withLocalFile({ store, key: file.storageKey, signal }, (path) =>
      scanFile(
        { path, declaredMimeType: file.mimeType, filename: file.filename },
        { malware, signal, limits: { maxPages } },
      ),
    )
    const saveOutcome = (tx: Tx) => setStageOutcome(tx, file.shellFileId, 'security_scan', outcomeOf(verdict))
    if (verdict.verdict === 'rejected') {
      const message = verdict.reason ?? 'This document cannot be taken.'
      return { kind: 'failed', error: { code: verdict.code ?? 'file_corrupt', message }, commit: saveOutcome }
    }
    return {
      kind: 'completed',
      commit: async (tx) => {
        await saveOutcome(tx)
        if (verdict.pageCount !== null) await noteOnFile(tx, file.shellFileId, { pageCount: verdict.pageCount })
        return { verdict: verdict.verdict, findings: verdict.findings.length }
      },
    }
  })
