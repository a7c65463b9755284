import { z } from 'zod'
import { timeField } from '../../fields.ts'
import { uploadAnswer } from '../schema.ts'

const wholeBytes = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a number of bytes')
  .transform(Number)

export const creationHeaders = z.looseObject({
  'upload-length': wholeBytes.pipe(z.int().min(1)),
  'upload-metadata': z.string().min(1).max(12_000),
})
export const pieceHeaders = z.looseObject({ 'upload-offset': wholeBytes })
export const uploadState = z
  .object({
    size_bytes: z.int(),
    received_bytes: z.int(),
    expires_at: timeField,
    upload: uploadAnswer.nullable().describe('As an upload in one piece is answered; null until it is whole.'),
  })
  .meta({ title: 'ResumableUpload' })
