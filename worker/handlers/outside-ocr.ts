import { holdConsent } from '../../db/queries/consents.ts'
import type { FileInStage } from '../../db/queries/stage-files.ts'
import type { AppError } from '../../platform/errors.ts'
import type { NeededConsent, RunContext } from '../engine/handler.ts'
import { gatherPictures } from '../providers/ocr/batching.ts'
import { ocrRefused } from '../providers/ocr/provider.ts'
import type { OcrBatches, OcrOutcome, OcrProvider } from '../providers/ocr/provider.ts'
import type { HandlerDeps, OutsideOcr, OutsideUse } from './deps.ts'

/** The outside reader where there is one and the person allows it, else our own. */
export async function chooseReader(
  file: Pick<FileInStage, 'patientId'>,
  context: RunContext,
  deps: Pick<HandlerDeps, 'ocr' | 'outsideOcr'>,
): Promise<{ readonly ocr: OcrProvider; readonly use: OutsideUse }> {
  const { ocr, outsideOcr } = deps
  if (outsideOcr === null) return { ocr, use: 'not_configured' }
  const consent = { patientId: file.patientId, purpose: 'outside_ocr' } as const
  const isAllowed = await context.read((tx) => holdConsent(tx, consent))
  if (!isAllowed) return { ocr, use: 'no_consent' }
  return { ocr: withinLimits(outsideOcr, consent, context), use: 'asked' }
}

/**
 * Requests go through the fleet's limits, and the person's consent is asked again for each. What counts as tokens of this
 * endpoint are the pictures: a provider limits them as well as its requests, and charges for them.
 */
function withinLimits({ provider, limit }: OutsideOcr, consent: NeededConsent, context: RunContext): OcrProvider {
  const batches = provider.batches ?? onePicture(provider)
  const recognise: OcrBatches['recognise'] = (images, options) =>
    context.withCapacity({ ...limit, estimatedTokens: images.length, consent }, async () => {
      const outcomes = await batches.recognise(images, options)
      const failed = failureOfAll(outcomes)
      if (failed !== null) throw failed
      return {
        value: outcomes,
        tokensUsed: images.length,
        costUsd: images.length * (provider.costUsdPerPicture ?? 0),
        said: { requestsPerMinute: null, tokensPerMinute: null, pauseMs: pauseAskedFor(outcomes) },
      }
    })
  return { ...provider, recognise: gatherPictures({ ...batches, recognise }) }
}

function onePicture({ recognise }: OcrProvider): OcrBatches {
  return {
    maxPictures: 1,
    maxBytes: Number.POSITIVE_INFINITY,
    recognise: (images, options) =>
      Promise.all(images.map(async (image) => ({ kind: 'read' as const, result: await recognise(image, options) }))),
  }
}

/** A service that is busy or away says so of each picture at times. Pictures that it will not take are another matter. */
function failureOfAll(outcomes: readonly OcrOutcome[]): AppError | null {
  const errors = errorsOf(outcomes)
  if (errors.length < outcomes.length) return null
  return errors.some((error) => ocrRefused.matches(error)) ? null : (errors[0] ?? null)
}

function pauseAskedFor(outcomes: readonly OcrOutcome[]): number {
  return Math.max(0, ...errorsOf(outcomes).map(({ retryAfterMs }) => retryAfterMs ?? 0))
}

function errorsOf(outcomes: readonly OcrOutcome[]): AppError[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? outcome.error : []))
}
