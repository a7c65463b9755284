import postgres from 'postgres'

/** Sessions that have a role from their first moment, so that a single statement needs no transaction around it. */
export type RoleSessions = {
  readonly ask: <T>(work: (sql: postgres.ISql) => Promise<T>) => Promise<T>
  /** Gives up all sessions, whatever they look like; what they were asked is rejected as the database being away. */
  readonly renew: () => void
  /** A pooler in transaction mode stood in the way and took no session with a role. */
  readonly areRefused: () => boolean
  readonly close: () => Promise<void>
}

const statementMs = 30_000
// Later than the server would have ended it: nobody answers there any more. TCP alone would wait for a quarter of an hour.
const answerMs = statementMs + 5_000

type ClientSettings = { readonly connection: { readonly application_name: string } }

/** What a session starts with: its role, and claims of nobody or of the service. */
export type RoleStart = { readonly role: 'authenticated' | 'service_role'; readonly 'request.jwt.claims': string }

export function openRoleSessions(
  url: string,
  settings: ClientSettings,
  { start, max }: { readonly start: RoleStart; readonly max: number },
  onRefused: () => void,
): RoleSessions {
  let client = open()
  let areRefused = false

  // Types are not asked for, since losing a connection while they are would end the process (see fenced-begin.ts).
  function open(): postgres.Sql {
    return postgres(url, {
      ...settings,
      max,
      prepare: true,
      fetch_types: false,
      connection: { ...settings.connection, ...start, statement_timeout: statementMs },
    })
  }

  function renew(given: postgres.Sql): void {
    if (given !== client) return
    client = open()
    void given.end({ timeout: 0 })
  }

  return {
    async ask(work) {
      const asked = client
      const limit = setTimeout(() => renew(asked), answerMs)
      try {
        return await work(asked)
      } catch (error) {
        if (isRefusal(error) && !areRefused) {
          areRefused = true
          onRefused()
        }
        throw error
      } finally {
        clearTimeout(limit)
      }
    },
    renew: () => renew(client),
    areRefused: () => areRefused,
    close: () => client.end({ timeout: 5 }),
  }
}

// "unsupported startup parameter", says PgBouncer; PostgreSQL takes those that we send.
const isRefusal = (error: unknown) =>
  error instanceof postgres.PostgresError && error.code === '08P01' && error.message.includes('startup parameter')
