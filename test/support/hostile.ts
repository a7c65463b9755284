import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ownerSql } from './actors.ts'
import { ask } from './app.ts'
import type { TestAccount, TestApp } from './app.ts'
import { formType } from './multipart.ts'
import { head } from './raw-http.ts'

export const chunked = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part)
      return [Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]
    }),
  )
export const problem = (status: number, code: string) => new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"code":"${code}"`)

/** Of a connection that ends with its answer. */
export function uploadHead(person: TestAccount, headers: readonly string[]): string {
  return head('POST /documents/upload', [
    `authorization: ${person.headers.authorization}`,
    `content-type: ${formType}`,
    `idempotency-key: ${randomUUID()}`,
    'connection: close',
    ...headers,
  ])
}

type LeftOver = { readonly files: number; readonly rows: number; readonly jobs: number; readonly keys: number }

/** What there is once no upload is under way: what a broken connection began is undone after it. */
export async function leftOver(server: TestApp, owner: ReturnType<typeof ownerSql>): Promise<LeftOver> {
  while ((await activeUploads(server)) > 0) await new Promise((resolve) => setImmediate(resolve))
  const [counts] = await owner<Omit<LeftOver, 'files'>[]>`
    select
      (select count(*)::int from shell_files) as rows,
      (select count(*)::int from job_queue where shell_file_id is not null) as jobs,
      (select count(*)::int from idempotency_keys) as keys`
  if (counts === undefined) throw new Error('nothing was counted')
  const found = await readdir(join(server.config.dataDir, 'objects'), { recursive: true, withFileTypes: true })
  return { ...counts, files: found.filter((entry) => entry.isFile()).length }
}

export async function activeUploads({ url }: TestApp): Promise<number> {
  const { text } = await ask(`${url}/metrics`)
  return Number(/exora_uploads\{[^}]*state="active"[^}]*\} (\d+)/.exec(text)?.[1])
}
