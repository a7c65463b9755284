import postgres from 'postgres'

/**
 * A seat is one session that each user of the embedded server keeps open for as long as it needs the server, with a
 * shared lock in it. The kernel closes the session of a process that dies in whatever way, so the locks always tell
 * the truth about who is left, and whoever leaves last (and so gets the exclusive lock) stops the server.
 */
export type Seat = {
  readonly session: postgres.Sql
  /** True when nobody else is left; newcomers are refused from then on. */
  readonly isLast: () => Promise<boolean>
  readonly leave: () => Promise<void>
}

export type SeatAnswer =
  | { kind: 'seated'; seat: Seat }
  /** The server is there, but starting or stopping: ask again. */
  | { kind: 'busy' }
  /** Nobody, or a stranger, listens there. */
  | { kind: 'absent' }

const seatLock = 7_306_001
const startingOrStopping = '57P03'

export async function takeSeat(superuserUrl: string, port: number, onLost: () => void): Promise<SeatAnswer> {
  let isSeated = false
  const sql = postgres(withPort(superuserUrl, port), {
    max: 1,
    // The lock lives in the one session of this client: it must never be exchanged for a fresh one.
    max_lifetime: null,
    fetch_types: false,
    idle_timeout: 0,
    connect_timeout: 10,
    prepare: false,
    onnotice: () => {},
    onclose: () => {
      if (isSeated) onLost()
    },
    connection: { application_name: 'exora-seat' },
  })
  try {
    const [answer] = await sql<[{ seated: boolean }]>`select pg_try_advisory_lock_shared(${seatLock}) as seated`
    isSeated = answer.seated
    if (isSeated) return { kind: 'seated', seat: seatOf(sql) }
    await sql.end({ timeout: 0 })
    return { kind: 'busy' }
  } catch (error) {
    await sql.end({ timeout: 0 })
    return { kind: codeOf(error) === startingOrStopping ? 'busy' : 'absent' }
  }
}

function seatOf(session: postgres.Sql): Seat {
  return {
    session,
    isLast: async () => {
      await session`select pg_advisory_unlock_shared(${seatLock})`
      const [answer] = await session<[{ alone: boolean }]>`select pg_try_advisory_lock(${seatLock}) as alone`
      return answer.alone
    },
    leave: () => session.end({ timeout: 5 }),
  }
}

function withPort(url: string, port: number): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')
