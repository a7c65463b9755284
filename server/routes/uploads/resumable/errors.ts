import { defineError } from '../../../../platform/errors.ts'

export const uploadHeld = defineError('upload_held', 423, 'Another request is sending this upload just now.')
export const uploadOffsetWrong = defineError(
  'upload_offset_wrong',
  409,
  'The upload is not at this place. Ask how far it is, and go on from there.',
)
export const tooManyOpenUploads = defineError(
  'too_many_open_uploads',
  429,
  'Too many uploads are begun and not ended. End or cancel some of them first.',
)
export const uploadVersionUnknown = defineError(
  'upload_version_unknown',
  412,
  'This version of resumable uploads is not spoken here.',
)
