import postgres from 'postgres'
import { wait } from '../../platform/wait.ts'
import { openSocket } from '../sockets.ts'

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

// A server that does not answer by then is left as it is.
const answerMs = 3_000
const seatLock = 7_306_001
const startingOrStopping = '57P03'

export async function takeSeat(superuserUrl: string, port: number, onLost: () => void): Promise<SeatAnswer> {
  let isSeated = false
  // The driver's types do not know `socket`.
  const settings = {
    max: 1,
    // The lock lives in the one session of this client: it must never be exchanged for a fresh one.
    max_lifetime: null,
    fetch_types: false,
    idle_timeout: 0,
    connect_timeout: 10,
    prepare: false,
    onnotice: () => {},
    socket: openSocket,
    onclose: () => {
      if (isSeated) onLost()
    },
    connection: { application_name: 'exora-seat' },
  }
  const sql = postgres(withPort(superuserUrl, port), settings)
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
      const answered = new AbortController()
      const silent = wait(answerMs, { signal: answered.signal }).then(
        () => false,
        () => false,
      )
      return await Promise.race([isAlone(session), silent]).finally(() => answered.abort())
    },
    leave: () => session.end({ timeout: 1 }),
  }
}

async function isAlone(session: postgres.Sql): Promise<boolean> {
  await session`select pg_advisory_unlock_shared(${seatLock})`
  const [answer] = await session<[{ alone: boolean }]>`select pg_try_advisory_lock(${seatLock}) as alone`
  return answer.alone
}

function withPort(url: string, port: number): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')
