import { postWebhook } from '../../../platform/webhook.ts'
import type { WebhookConfig } from '../../../platform/webhook.ts'
import { writeMessage } from './message-folder.ts'
import type { MailMessage, MailProvider } from './provider.ts'

export type MailConfig = {
  /** The operator's mail service; null: a file for each message, which the operator reads. */
  readonly webhook: WebhookConfig | null
  readonly folder: string
  readonly environment: string
}

export function createMail({ webhook, folder, environment }: MailConfig): MailProvider {
  const bodyOf = ({ id, kind, email, name, token, expiresAt }: MailMessage) => {
    return { message_id: id, kind, email, name, token, expires_at: expiresAt, environment }
  }
  return {
    send: async (message, signal) => {
      if (webhook !== null) return await postWebhook(webhook, { id: message.id, body: bodyOf(message) }, signal)
      await writeMessage(folder, message.id, bodyOf(message))
      return null
    },
  }
}
