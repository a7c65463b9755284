/** A person's app: signed up, with a token that is made anew when it is over. */
import { createClient } from '../../client/index.ts'
import type { Client } from '../../client/index.ts'

/** Signs up a new account at `baseUrl` and acts for it. */
export async function signUp(baseUrl: string, email: string, password: string): Promise<Client> {
  const { auth } = createClient({ baseUrl })
  const { token: session } = await auth.signUp({ email, password, name: 'Demo' })
  return createClient({ baseUrl, getToken: () => auth.token(session) })
}
