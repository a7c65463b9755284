import { randomUUID } from 'node:crypto'
import type { House } from './house.ts'

/**
 * Every route without a token, with ids of nobody, with ids that are none: whatever it declares, so that what it leaves
 * out shows. What would sign out or close the account is asked without a token alone.
 */
export async function refuseAll({ api, person: { token } }: House): Promise<void> {
  const nobody = { id: randomUUID(), export_id: randomUUID(), grant_id: randomUUID(), n: '1', purpose: 'outside_ai' }
  for (const name of api.operations.keys()) {
    const [method = '', route = ''] = name.split(' ')
    if (route.startsWith('/auth/')) continue
    const hasBody = ['PATCH', 'POST', 'PUT'].includes(method) && !route.startsWith('/documents/upload')
    const json = hasBody ? { json: bodies[route] ?? {} } : {}
    const query = `?patient_id=${nobody.id}&bytes=1`
    await api.ask(name, { path: nobody, query, ...json })
    if (route.startsWith('/account/') || route === '/documents/upload') continue
    await api.ask(name, { token, path: nobody, query, ...json })
    await api.ask(name, { token, query: '?patient_id=x&months=x&limit=x', ...(hasBody ? { json: [] } : {}) })
  }
}

const bodies: Readonly<Record<string, unknown>> = {
  '/documents/{id}/identity-review': { decision: 'accepted' },
  '/documents/{id}/facts': { type: 'allergy', text: 'Penicillin' },
  '/documents/{id}/review/undo': { decision_id: randomUUID() },
  '/facts/{id}': { review: 'accepted' },
  '/api/process-document': { shell_file_id: randomUUID() },
  '/audit/events': { events: [{ patient_id: randomUUID(), event: 'record_shared' }] },
  '/profiles/{id}/access': { account_id: randomUUID(), level: 'read_only' },
  '/profiles/{id}/consents/{purpose}': { decision: 'granted' },
  '/providers/requests/{id}/approve': { ends_at: '2100-01-01T00:00:00Z' },
  '/profiles/{id}': { display_name: 'Nobody' },
}
