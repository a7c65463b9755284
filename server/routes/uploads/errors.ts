import { defineError } from '../../../platform/errors.ts'
import { fileTooLarge } from '../../../platform/storage/store.ts'

export { fileTooLarge }
export const missingField = defineError('missing_field', 400, 'Something is missing from the upload.')
export const uploadBroken = defineError('upload_broken', 400, 'The upload ended early or is damaged.')
export const fileEmpty = defineError('file_empty', 422, 'The file is empty.')
export const unsupportedFileType = defineError(
  'unsupported_file_type',
  415,
  'This kind of file cannot be read. PDF, photos, scans and text documents can.',
)
export const planLimitReached = defineError('plan_limit_reached', 402, 'A limit of your plan is reached.')
export const idempotencyInProgress = defineError('idempotency_in_progress', 409, 'The same upload is still under way.')
export const idempotencyKeyReused = defineError(
  'idempotency_key_reused',
  422,
  'This key was used before for a different upload.',
)
