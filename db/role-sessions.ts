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
const closingSeconds = 2
const patienceMs = 4 * answerMs

type ClientSettings = { readonly connection: { readonly application_name: string } }

/** What a session starts with: its role, and claims of nobody or of the service. */
export type RoleStart = { readonly role: 'authenticated' | 'service_role'; readonly 'request.jwt.claims': string }

export type RoleSessionsWanted = {
  readonly start: RoleStart
  readonly max: number
  /** Statements that wait for no lock may be sent one behind the other; who waits for one must hold up nobody else. */
  readonly sharing: 'shared' | 'one at a time'
  readonly onRefused: () => void
}

export function openRoleSessions(url: string, settings: ClientSettings, wanted: RoleSessionsWanted): RoleSessions {
  const sessions = createRenewable(() => openClient(url, settings, wanted))
  let areRefused = false
  let answeredAt = performance.now()

  // While others are answered, the way is not dead: this one waits for its turn, or for a lock.
  function giveUp(asked: postgres.Sql, askedAt: number, limits: Set<NodeJS.Timeout>): void {
    const isAnswering = performance.now() - answeredAt < answerMs
    if (!isAnswering || performance.now() - askedAt > patienceMs) return sessions.renew(asked)
    limits.add(setTimeout(() => giveUp(asked, askedAt, limits), answerMs))
  }

  return {
    async ask(work) {
      const asked = sessions.current()
      const askedAt = performance.now()
      const limits = new Set<NodeJS.Timeout>()
      limits.add(setTimeout(() => giveUp(asked, askedAt, limits), answerMs))
      try {
        const answer = await work(asked)
        answeredAt = performance.now()
        return answer
      } catch (error) {
        if (error instanceof postgres.PostgresError) answeredAt = performance.now()
        if (isRoleRefused(error) && !areRefused) {
          areRefused = true
          wanted.onRefused()
        }
        throw error
      } finally {
        for (const limit of limits) clearTimeout(limit)
      }
    },
    renew: () => sessions.renew(sessions.current()),
    areRefused: () => areRefused,
    close: () => sessions.current().end({ timeout: closingSeconds }),
  }
}

function createRenewable(open: () => postgres.Sql) {
  let client = open()
  return {
    current: () => client,
    /** By the first of those who found it dead. */
    renew: (given: postgres.Sql) => {
      if (given !== client) return
      client = open()
      void given.end({ timeout: 0 })
    },
  }
}

// Types are not asked for, since losing a connection while they are would end the process (see fenced-begin.ts).
function openClient(url: string, settings: ClientSettings, { start, max, sharing }: RoleSessionsWanted): postgres.Sql {
  return postgres(url, {
    ...settings,
    max,
    prepare: true,
    ...(sharing === 'shared' ? {} : { max_pipeline: 0 }),
    fetch_types: false,
    connection: { ...settings.connection, ...start, statement_timeout: statementMs },
  })
}

/** "unsupported startup parameter", says PgBouncer; PostgreSQL takes those that we send. Nothing was done then. */
export const isRoleRefused = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code === '08P01' && error.message.includes('startup parameter')
