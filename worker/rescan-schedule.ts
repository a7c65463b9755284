import { listUnscannedFiles, settleUnscannedFile } from '../db/queries/unscanned-files.ts'
import type { UnscannedFile } from '../db/queries/unscanned-files.ts'
import { withLocalFile } from '../platform/storage/local-file.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Schedule, ScheduleDeps } from './engine/schedule.ts'
import { consequences } from './pipeline/scan/findings.ts'
import { malwareScanTooLarge, malwareScanUnavailable } from './providers/malware/provider.ts'
import type { MalwareProvider, MalwareVerdict } from './providers/malware/provider.ts'

const pageSize = 50

/** Documents that were taken while the malware scanner was away are shown to it when it is back. */
export const createRescanSchedule = (store: Store, malware: MalwareProvider): Schedule => ({
  name: 'rescan_unscanned_files',
  slots: { everySeconds: 10 * 60 },
  run: async (run) => {
    let after: string | null = null
    for (;;) {
      const last: string | null = after
      const files: UnscannedFile[] = await run.inService((tx) => listUnscannedFiles(tx, last, pageSize))
      for (const file of files) if (!(await rescan(file, run, { store, malware }))) return
      after = files.at(-1)?.id ?? null
      if (files.length < pageSize) return
    }
  },
})

type Far = { readonly store: Store; readonly malware: MalwareProvider }

/** False once the scanner does not answer: asking about the next file would be in vain. */
async function rescan(file: UnscannedFile, { inService, signal }: ScheduleDeps, far: Far): Promise<boolean> {
  signal.throwIfAborted()
  const { store, malware } = far
  const object = { store, key: file.storage_key, signal }
  const verdict = await withLocalFile(object, (path) => ask(malware, path, signal))
  if (verdict.kind === 'unscanned') return verdict.because !== malwareScanUnavailable.code
  await inService((tx) => settleUnscannedFile(tx, file.id, settledBy(verdict, file)))
  return true
}

async function ask(malware: MalwareProvider, path: string, signal: AbortSignal): Promise<MalwareVerdict> {
  try {
    return await malware.inspect(path, { signal })
  } catch (error) {
    if (malwareScanUnavailable.matches(error)) return { kind: 'unscanned', because: malwareScanUnavailable.code }
    if (malwareScanTooLarge.matches(error)) return { kind: 'unscanned', because: malwareScanTooLarge.code }
    throw error
  }
}

/** What the scan saw by itself stays; what was said of the missing scan makes room for its result. */
function settledBy(verdict: Exclude<MalwareVerdict, { kind: 'unscanned' }>, { outcome }: UnscannedFile) {
  const { infected, locked_part: locked } = consequences
  const notices = outcome.notices.filter(({ code }) => code !== 'unscanned')
  if (verdict.kind === 'locked') notices.push({ code: 'locked_part', message: locked.reason })
  const findings = outcome.scan.findings.filter((finding) => finding !== 'unscanned')
  if (verdict.kind === 'locked') findings.push('locked_part')
  const scan = {
    verdict: findings.length === 0 ? 'clean' : outcome.scan.verdict,
    findings,
    malware: verdict.kind,
    checked_with: verdict.checkedWith,
  }
  const error = verdict.kind === 'infected' ? { code: 'file_infected', message: infected.reason } : null
  return { outcome: { notices, scan }, error }
}
