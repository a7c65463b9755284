import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { ask, startApp } from '../support/app.ts'
import { pdf, uploadForm } from '../support/multipart.ts'

test('the audit of an upload says from where it came', async (t) => {
  const { url, ownerUrl, account } = await startApp(t, { env: { TRUSTED_PROXIES: '1' } })
  const parent = await account(randomUUID())
  const owner = ownerSql(t, ownerUrl)
  const auditedFrom = async (forwardedFor: string | null) => {
    const answer = await ask(`${url}/documents/upload`, {
      method: 'POST',
      headers: { ...parent.headers, ...(forwardedFor === null ? {} : { 'x-forwarded-for': forwardedFor }) },
      body: uploadForm(parent.profileId, pdf(randomUUID())),
    })
    t.equal(answer.status, 201, `${forwardedFor}: the upload is taken`)
    const rows = await owner`
      select changed_by, host(ip_address) as address from audit_log
      where table_name = 'shell_files' and record_id = ${String(answer.body['shell_file_id'])}`
    return [...rows]
  }
  const by = (address: string | null) => [{ changed_by: parent.accountId, address }]

  t.same(await auditedFrom(null), by('127.0.0.1'))
  t.same(await auditedFrom('203.0.113.7'), by('203.0.113.7'))
  t.same(
    await auditedFrom('198.51.100.1, 203.0.113.7'),
    by('203.0.113.7'),
    'what the trusted proxy saw, not what it was told',
  )
  t.same(await auditedFrom('nobody knows'), by(null), 'an odd proxy holds nothing up')
})
