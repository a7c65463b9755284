import type { Uploader } from './servers.ts'

export type OneUpload = { readonly person: Uploader; readonly key: string; readonly content: string }
export type UploadAnswer = { readonly status: number; readonly isReplay: boolean; readonly retryAfterMs: number }

/** As any client would. Rejects when there is no answer. */
export async function sendUpload(address: string, { person, key, content }: OneUpload): Promise<UploadAnswer> {
  const form = new FormData()
  form.set('patient_id', person.profileId)
  form.set('file', new Blob([`%PDF-1.7\n% ${content}\n`], { type: 'application/pdf' }), 'letter.pdf')
  const answer = await fetch(`${address}/documents/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}`, 'idempotency-key': key },
    body: form,
  })
  await answer.arrayBuffer()
  return {
    status: answer.status,
    isReplay: answer.headers.get('idempotent-replayed') === 'true',
    retryAfterMs: Number(answer.headers.get('retry-after') ?? 1) * 1_000,
  }
}
