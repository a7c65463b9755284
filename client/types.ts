/** What the API takes and answers, from the schemas that the server itself checks with; nothing is typed again. */
import type { z } from 'zod'
import type { accessLogQuery, accessLogSchema } from '../server/routes/access-log/schema.ts'
import type { closureAnswer, closureSchema } from '../server/routes/account/schema.ts'
import type { sessionSchema, signedInSchema, signInBody, signUpBody } from '../server/routes/auth/schema.ts'
import type {
  decisionBody,
  documentEventSchema,
  documentListQuery,
  documentListSchema,
  documentSchema,
  factListSchema,
  factSchema,
  pageListSchema,
  textSchema,
  wordListSchema,
} from '../server/routes/documents/schema.ts'
import type { exportListSchema, exportSchema } from '../server/routes/exports/schema.ts'
import type { processedSchema, processBody } from '../server/routes/processing/schema.ts'
import type {
  profileChanges,
  profileFields,
  profileListSchema,
  profileSchema,
} from '../server/routes/profiles/schema.ts'
import type { RealtimeEvent as ToldEvent } from '../server/routes/realtime/schema.ts'
import type { uploadState } from '../server/routes/uploads/resumable/schema.ts'
import type { uploadAnswer, UploadFields } from '../server/routes/uploads/schema.ts'
import type {
  checkQuery,
  historyQuery,
  historySchema,
  permissionSchema,
  planListSchema,
  subscriptionBody,
  subscriptionSchema,
  usageSchema,
} from '../server/routes/usage/schema.ts'

export type SignUp = z.output<typeof signUpBody>
export type SignIn = z.output<typeof signInBody>
export type SignedIn = z.output<typeof signedInSchema>
export type Session = z.output<typeof sessionSchema>

export type Profile = z.output<typeof profileSchema>
export type ProfileList = z.output<typeof profileListSchema>
export type NewProfile = z.input<typeof profileFields>
export type ProfileChanges = z.input<typeof profileChanges>
export type AccessLog = z.output<typeof accessLogSchema>
export type AccessLogQuery = Partial<z.output<typeof accessLogQuery>>

export type Upload = Omit<UploadFields, 'filename' | 'idempotency_key'>
export type UploadAnswer = z.output<typeof uploadAnswer>
export type ResumableState = z.output<typeof uploadState>
export type Document = z.output<typeof documentSchema>
export type DocumentList = z.output<typeof documentListSchema>
export type DocumentHead = DocumentList['documents'][number]
export type DocumentListQuery = OthersOptional<z.output<typeof documentListQuery>, 'patient_id'>
export type DocumentEvent = z.output<typeof documentEventSchema>
export type RealtimeEvent = ToldEvent
export type Decision = z.output<typeof decisionBody>['decision']
export type Page = z.output<typeof pageListSchema>['pages'][number]
export type Word = z.output<typeof wordListSchema>[number]
export type DocumentText = z.output<typeof textSchema>
export type Fact = z.output<typeof factSchema>
export type FactList = z.output<typeof factListSchema>
export type Processing = z.input<typeof processBody>
export type Processed = z.output<typeof processedSchema>

export type UsageStatus = z.output<typeof usageSchema>
export type UsageHistory = z.output<typeof historySchema>
export type UsageHistoryQuery = Partial<z.output<typeof historyQuery>>
export type PlanList = z.output<typeof planListSchema>
export type UploadPermission = z.output<typeof permissionSchema>
export type UploadPermissionQuery = OthersOptional<z.output<typeof checkQuery>, 'patient_id' | 'bytes'>
export type SubscriptionChange = z.input<typeof subscriptionBody>
export type Subscription = z.output<typeof subscriptionSchema>

export type DataExport = z.output<typeof exportSchema>
export type DataExportList = z.output<typeof exportListSchema>
export type AccountClosure = z.output<typeof closureSchema>
export type AccountClosureAnswer = z.output<typeof closureAnswer>

type OthersOptional<T, K extends keyof T> = Pick<T, K> & Partial<Omit<T, K>>
