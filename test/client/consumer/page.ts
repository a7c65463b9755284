/** A page as somebody would write it who has nothing of ours but the client; compiled, never run. */
import { createClient, ExoraError } from 'exora/client'
import type { Client, Fact, RealtimeEvent, UploadProgress } from 'exora/client'

type IsAny<T> = 0 extends 1 & T ? true : false
type Answer<F> = F extends (...given: never[]) => infer A ? (A extends AsyncIterable<infer E> ? E : Awaited<A>) : never
type Vague<T> = { [K in keyof T]: IsAny<Answer<T[K]>> extends true ? K : never }[keyof T]
type VagueParts = {
  [K in keyof Client]: Client[K] extends (...given: never[]) => unknown ? Vague<Pick<Client, K>> : Vague<Client[K]>
}
/** No method answers with something of which nothing is known. */
export const vague: VagueParts[keyof Client][] = []
const nothing: readonly never[] = vague

export async function show(file: File, signal: AbortSignal, write: (text: string) => void): Promise<readonly never[]> {
  const client = createClient({
    baseUrl: 'https://records.example',
    getToken: () => localStorage.getItem('token') ?? '',
  })
  const [me] = await client.profiles.list({ signal })
  if (me === undefined) return nothing
  const onProgress = ({ sentBytes, totalBytes }: UploadProgress) => write(`${sentBytes / totalBytes}`)
  const stored = await client.documents.upload({ patient_id: me.id, file }, { onProgress, signal })
  // @ts-expect-error a person is needed
  await client.documents.upload({ file })
  for await (const event of client.documents.follow(stored.shell_file_id, { signal }))
    write(event.stage ?? event.file_status)
  const facts: Fact[] = await client.documents.facts(stored.shell_file_id)
  write(facts.map(({ text, code }) => `${text} ${code?.display ?? ''}`).join('\n'))
  for await (const event of client.follow({ signal })) write(sentenceOf(event))
  return nothing
}

function sentenceOf({ event, data }: RealtimeEvent): string {
  if (event === 'file' || event === 'stage') return `${data.document_id}: ${data.stage ?? data.file_status}`
  if (event === 'notification') return data.kind
  return event === 'reset' ? `read anew: ${data.reason}` : 'live'
}

export const codeOf = (error: unknown): string => (error instanceof ExoraError ? error.code : 'bug')
