import { test } from 'tap'
import type { ApiRecorder } from './api-recorder.ts'
import { readDocuments } from './api/documents.ts'
import { openHouse } from './api/house.ts'
import { answerClinicians, decideConsents, readNotifications, reportEvents, shareAccess } from './api/people.ts'
import { exportAndClose, keepProfiles, showUsage } from './api/profiles.ts'
import { refuseAll } from './api/refusals.ts'
import { refusePieces, uploadInPieces } from './api/resumable.ts'
import {
  changeEmail,
  changePassword,
  listAndEndSessions,
  resetPassword,
  signInAndOut,
  useSecondFactor,
} from './api/sign-in.ts'
import { uploadAndBin } from './api/uploads.ts'

/** Declared statuses that are not provoked here, and why; a route and status, or a status everywhere. */
const elsewhere: Readonly<Record<string, string>> = {
  'POST /auth/sign-out 401':
    'better-auth ends a session that is over without a word; only a version that minds would answer so',
  '500': 'a mistake of ours, or a store that says no: test/platform/errors.test.ts, test/platform/storage',
  '503':
    'a database, store or trace that is away, too many at once: test/server/upload-crowd.test.ts, read-traces.test.ts, events.test.ts',
  '429':
    'a minute of a test spends no budget, and nobody follows so much: test/server/request-limits.test.ts, accounts.test.ts, realtime.test.ts, resumable-limits.test.ts',
  'GET /profiles/{id}/exports/{export_id}/content 200':
    'needs a worker that makes the archive: test/server/privacy.test.ts',
}

// In this order: uploads spend the limits, and the last closes the account.
const visits = [
  refuseAll,
  signInAndOut,
  listAndEndSessions,
  changePassword,
  resetPassword,
  changeEmail,
  useSecondFactor,
  readDocuments,
  uploadInPieces,
  refusePieces,
  uploadAndBin,
  keepProfiles,
  shareAccess,
  decideConsents,
  answerClinicians,
  readNotifications,
  reportEvents,
  showUsage,
  exportAndClose,
]

test('the description of the API and the API agree', async (t) => {
  const house = await openHouse(t)
  const { api } = house
  for (const visit of visits) await visit(house)
  for (const name of ['GET /health', 'GET /ready', 'GET /metrics']) await api.ask(name)

  t.same(api.breaches, [], 'every answer is one that was declared')
  t.same(missing(api), [], 'every declared status came, or says where it comes')
  const untyped = [...api.operations].flatMap(([name, { parameters }]) =>
    parameters.filter(({ schema }) => schema?.['type'] === undefined).map((one) => `${name} ${one.in} ${one.name}`),
  )
  t.same(untyped, [], 'every parameter has a type')
})

const missing = (api: ApiRecorder) =>
  [...api.operations].flatMap(([name, { responses }]) =>
    Object.keys(responses)
      .filter((status) => !api.seen.has(`${name} ${status}`))
      .filter((status) => elsewhere[status] === undefined && elsewhere[`${name} ${status}`] === undefined)
      .map((status) => `${name} ${status}`),
  )
