import type { z } from 'zod'
import { accessLogQuery, accessLogSchema } from '../../server/routes/access-log/schema.ts'
import { closureAnswer, closureSchema } from '../../server/routes/account/schema.ts'
import {
  secondFactorBody,
  secondFactorNeeded,
  sessionSchema,
  signedInSchema,
  signInBody,
  signUpBody,
} from '../../server/routes/auth/schema.ts'
import {
  decisionBody,
  documentEventSchema,
  documentListQuery,
  documentListSchema,
  documentSchema,
  factListSchema,
  factSchema,
  pageListSchema,
  stageSchema,
  textSchema,
  wordListSchema,
} from '../../server/routes/documents/schema.ts'
import {
  acceptBody,
  acceptedSchema,
  decidedFactSchema,
  decisionListSchema,
  factChangesSchema,
  factDecisionBody,
  newFactBody,
} from '../../server/routes/facts/schema.ts'
import { exportListSchema, exportSchema } from '../../server/routes/exports/schema.ts'
import { processedSchema, processBody } from '../../server/routes/processing/schema.ts'
import { profileChanges, profileFields, profileListSchema, profileSchema } from '../../server/routes/profiles/schema.ts'
import {
  documentChangeSchema,
  notificationToldSchema,
  realtimeEventSchema,
  resetSchema,
} from '../../server/routes/realtime/schema.ts'
import { uploadState } from '../../server/routes/uploads/resumable/schema.ts'
import { uploadAnswer, uploadFields } from '../../server/routes/uploads/schema.ts'
import {
  checkQuery,
  historyQuery,
  historySchema,
  permissionSchema,
  planListSchema,
  subscriptionBody,
  subscriptionSchema,
  usageSchema,
} from '../../server/routes/usage/schema.ts'
import { narrativeListSchema, narrativeSchema } from '../../server/routes/narratives.ts'

export type Shown = Readonly<Record<string, z.ZodType>>

/** What the client sends, by the names that it gives. */
export const asked: Shown = {
  SignUp: signUpBody,
  SignIn: signInBody,
  SecondFactor: secondFactorBody,
  NewProfile: profileFields,
  ProfileChanges: profileChanges,
  AccessLogQuery: accessLogQuery,
  // The key and the name of the file are the client's to send.
  Upload: uploadFields.omit({ idempotency_key: true, filename: true }),
  DocumentListQuery: documentListQuery,
  Decision: decisionBody.shape.decision,
  Processing: processBody,
  FactDecision: factDecisionBody,
  NewFact: newFactBody,
  AcceptFacts: acceptBody,
  UsageHistoryQuery: historyQuery,
  UploadPermissionQuery: checkQuery,
  SubscriptionChange: subscriptionBody,
}

/** What it is answered with, and what it is told. */
export const answered: Shown = {
  SignedIn: signedInSchema,
  SecondFactorNeeded: secondFactorNeeded,
  Session: sessionSchema,
  Profile: profileSchema,
  ProfileList: profileListSchema,
  AccessLog: accessLogSchema,
  UploadAnswer: uploadAnswer,
  ResumableState: uploadState,
  Stage: stageSchema,
  Document: documentSchema,
  DocumentHead: documentListSchema.shape.documents.element,
  DocumentList: documentListSchema,
  DocumentEvent: documentEventSchema,
  Page: pageListSchema.shape.pages.element,
  Word: wordListSchema.element,
  DocumentText: textSchema,
  Fact: factSchema,
  FactList: factListSchema,
  Narrative: narrativeSchema,
  NarrativeList: narrativeListSchema,
  DecidedFact: decidedFactSchema,
  AcceptedFacts: acceptedSchema,
  DecisionList: decisionListSchema,
  FactChanges: factChangesSchema,
  Processed: processedSchema,
  DocumentChange: documentChangeSchema,
  NotificationTold: notificationToldSchema,
  Reset: resetSchema,
  RealtimeEvent: realtimeEventSchema,
  UsageStatus: usageSchema,
  UsageHistory: historySchema,
  PlanList: planListSchema,
  UploadPermission: permissionSchema,
  Subscription: subscriptionSchema,
  DataExport: exportSchema,
  DataExportList: exportListSchema,
  AccountClosure: closureSchema,
  AccountClosureAnswer: closureAnswer,
}
