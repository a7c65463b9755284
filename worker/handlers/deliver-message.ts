import { randomBytes } from 'node:crypto'
import type { Tx } from '../../db/actor.ts'
import { addressProof, resetProof } from '../../db/message-proof.ts'
import { beginAccountMessage, finishAccountMessage, keepMessageProof } from '../../db/queries/account-messages.ts'
import type { AccountMessage } from '../../db/queries/account-messages.ts'
import { jobs } from '../../jobs/index.ts'
import type { PayloadOf } from '../../jobs/job.ts'
import { defineError } from '../../platform/errors.ts'
import type { Handler } from '../engine/handler.ts'
import type { MailMessage } from '../providers/mail/provider.ts'
import type { HandlerDeps } from './deps.ts'

export const messageNotDelivered = defineError('message_not_delivered', 502, 'A message could not be handed over.')

const tokenBytes = 32
const validMinutes = 60

/**
 * A secret of its own for each attempt. Those of earlier attempts stay good for their hour: the receiver may have taken
 * the message though we did not hear so, and knows it by its id when it comes again.
 */
export function createDeliverMessage({ mail }: HandlerDeps): Handler<PayloadOf<typeof jobs.deliver_message>> {
  return {
    job: jobs.deliver_message,
    run: async ({ message_id: id }, { write, signal }) => {
      const message = await write((tx) => prepare(tx, id))
      if (message === null) return { kind: 'done' }
      const reason = await mail.send(message, signal)
      if (reason !== null) return { kind: 'retry', error: messageNotDelivered({ reason }) }
      return {
        kind: 'done',
        commit: async (tx) => {
          await finishAccountMessage(tx, id)
          return undefined
        },
      }
    },
  }
}

async function prepare(tx: Tx, id: string): Promise<MailMessage | null> {
  const message = await beginAccountMessage(tx, id)
  if (message === null) return null
  const token = randomBytes(tokenBytes).toString('base64url')
  const proof = proofOf(message, token)
  if (proof === null) return { id, ...message, token: null, expiresAt: null }
  const expiresAt = await keepMessageProof(tx, id, proof, validMinutes)
  return { id, ...message, token, expiresAt: expiresAt.toISOString() }
}

function proofOf({ kind, email }: AccountMessage, token: string): string | null {
  if (kind === 'password_reset') return resetProof(token)
  return kind === 'email_change' ? addressProof(email, token) : null
}
