import { holdConsent } from '../../db/queries/consents.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import type { NeededConsent, RunContext } from '../engine/handler.ts'
import type { OcrProvider } from '../providers/ocr/provider.ts'
import type { HandlerDeps, OutsideOcr, OutsideUse } from './deps.ts'

/** The outside reader where there is one and the person allows it, else our own. */
export async function chooseReader(
  file: FileInStage,
  context: RunContext,
  deps: HandlerDeps,
): Promise<{ readonly ocr: OcrProvider; readonly use: OutsideUse }> {
  const { ocr, outsideOcr } = deps
  if (outsideOcr === null) return { ocr, use: 'not_configured' }
  const consent = { patientId: file.patientId, purpose: 'outside_ocr' } as const
  const isAllowed = await context.read((tx) => holdConsent(tx, consent))
  if (!isAllowed) return { ocr, use: 'no_consent' }
  return { ocr: withinLimits(outsideOcr, consent, context), use: 'asked' }
}

/** Calls go through the fleet's limits, picture by picture, and the person's consent is asked again for each. */
function withinLimits({ provider, limit }: OutsideOcr, consent: NeededConsent, context: RunContext): OcrProvider {
  return {
    ...provider,
    recognise: (image, options) =>
      context.withCapacity({ ...limit, estimatedTokens: 0, consent }, async () => ({
        value: await provider.recognise(image, options),
        tokensUsed: 0,
        costUsd: provider.costUsdPerPicture ?? 0,
      })),
  }
}
