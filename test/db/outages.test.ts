// Longer than 300 lines because every moment in which a connection can die is tried here, with the same two actors.
import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import type { Tx } from '../../db/actor.ts'
import { openDatabase } from '../../db/client.ts'
import type { Database } from '../../db/client.ts'
import { findFreePort } from '../../db/embedded/port.ts'
import { databaseError, databaseUnavailable } from '../../db/errors.ts'
import { wait } from '../../platform/wait.ts'
import { actorOf, anonymous } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'
import { ownerSql } from '../support/queue.ts'
import { eventually } from '../support/signals.ts'

// An error outside of any promise would end this process, and with it the test.

type Mark = { readonly note: string; readonly role: string; readonly account: string | null }

/** A small pool, a table where every statement leaves whose rights it ran with, and somebody who cuts connections. */
async function setUp(t: Teardown, max: number) {
  const { appUrl, ownerUrl, db: other } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`
    create table public.marks (
      note text,
      role text not null default current_user,
      account uuid default auth.uid()
    )`
  await owner`grant insert on public.marks to anon, authenticated, service_role, exora_app`
  await owner`
    create function public.commit_slowly() returns trigger language plpgsql as $$
      begin
        perform pg_sleep(30);
        return null;
      end
    $$`
  await owner`
    create constraint trigger slowly after insert on public.marks deferrable initially deferred
      for each row when (new.note = 'slow commit') execute function public.commit_slowly()`
  const db = openDatabase({ url: appUrl, applicationName: 'outages', max })
  t.teardown(() => db.close())
  return {
    db,
    marks: () => owner<Mark[]>`select note, role, account from public.marks`,
    /** Returns when the server has closed the connection. */
    cut: (pid: number) => other.sql`select pg_terminate_backend(${pid}, 10000)`,
    /** Returns once the server works on such a statement. */
    seen: (statement: string) =>
      eventually(async () => {
        const rows = await other.sql`
          select 1 from pg_stat_activity
          where application_name = 'outages' and state = 'active' and query ilike ${statement}`
        if (rows.length === 0) throw new Error('not yet')
      }),
  }
}

const mark = (tx: Tx, note: string) => tx.execute(sql`insert into public.marks (note) values (${note})`)
const nap = (tx: Tx) => tx.execute(sql`select pg_sleep(30)`)

async function pidOf(tx: Tx): Promise<number> {
  const [row] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return Number(row?.pid)
}

/** As many at once as the pool has connections, twice: each of them is used again. */
async function proveUsable(db: Database, max: number): Promise<void> {
  for (let round = 0; round < 2; round += 1)
    await Promise.all(Array.from({ length: max }, () => asActor(db, anonymous, (tx) => tx.execute(sql`select 1`))))
}

const lost = { code: 'CONNECTION_CLOSED' }

test('work whose connection was lost while it waited never speaks in the transaction that has it now', async (t) => {
  const { db, marks, cut } = await setUp(t, 1)
  const [first, second] = [actorOf(randomUUID()), actorOf(randomUUID())]
  const [firstMayGoOn, firstHasSpoken, secondMayEnd] = gates()
  const { promise: pid, resolve: tellPid } = Promise.withResolvers<number>()

  let refused: unknown
  const dead = asActor(db, first, async (tx) => {
    tellPid(await pidOf(tx))
    await firstMayGoOn.promise
    refused = await mark(tx, 'of the dead').catch((error: unknown) => error)
    firstHasSpoken.resolve()
    return 'as if nothing had happened'
  })
  const ended = t.rejects(dead, lost)
  await cut(await pid)
  await ended

  const { promise: secondHasBegun, resolve: begun } = Promise.withResolvers<void>()
  const alive = asActor(db, second, async (tx) => {
    await mark(tx, 'before')
    begun()
    await secondMayEnd.promise
    await mark(tx, 'after')
  })
  await secondHasBegun
  firstMayGoOn.resolve()
  await firstHasSpoken.promise
  secondMayEnd.resolve()
  await alive

  t.match(refused, { cause: lost })
  const account = second.accountId
  t.same(await marks(), [
    { note: 'before', role: 'authenticated', account },
    { note: 'after', role: 'authenticated', account },
  ])
})

test('a connection that is lost at any moment costs its transaction, and neither the process nor the pool', async (t) => {
  const { db, marks, cut, seen } = await setUp(t, 2)
  const whileBusy = async (tx: Tx, statement: string, busy: () => Promise<unknown>) => {
    const pid = await pidOf(tx)
    const working = busy()
    working.catch(() => {})
    await seen(statement)
    await cut(pid)
    return await working
  }
  const moments: Record<string, (tx: Tx) => Promise<unknown>> = {
    'before a statement': async (tx) => {
      await cut(await pidOf(tx))
      return await mark(tx, 'x')
    },
    'and nothing is asked any more': async (tx) => await cut(await pidOf(tx)),
    'during a statement': (tx) => whileBusy(tx, '%pg_sleep%', () => nap(tx)),
    'during a statement whose failure is ignored': async (tx) => {
      await whileBusy(tx, '%pg_sleep%', () => nap(tx)).catch(() => {})
      return await mark(tx, 'x')
    },
    'during several statements': (tx) =>
      whileBusy(tx, '%pg_sleep%', () => Promise.all([nap(tx), mark(tx, 'x'), mark(tx, 'x')])),
    'within a savepoint': (tx) => whileBusy(tx, '%pg_sleep%', () => tx.transaction((inner) => nap(inner))),
    'before a savepoint': async (tx) => {
      await cut(await pidOf(tx))
      return await tx.transaction((inner) => mark(inner, 'x'))
    },
    'and the work fails by itself': async (tx) => {
      await cut(await pidOf(tx))
      throw new Error('unrelated')
    },
  }
  for (const [moment, work] of Object.entries(moments)) {
    await t.rejects(asService(db, {}, work), lost, moment)
    await proveUsable(db, 2)
  }

  const { promise: pid, resolve: tellPid } = Promise.withResolvers<number>()
  const committing = asService(db, {}, async (tx) => {
    tellPid(await pidOf(tx))
    await mark(tx, 'slow commit')
  })
  const ended = t.rejects(committing, lost, 'during COMMIT')
  await seen('commit')
  await cut(await pid)
  await ended
  await proveUsable(db, 2)
  t.same(await marks(), [])
})

test('many transactions on a small pool that is cut again and again are each done whole and by their own actor', async (t) => {
  const { db, marks, cut } = await setUp(t, 3)
  const done = new Set<string>()
  const pids = new Set<number>()
  const wantedCuts = 24
  const tally = { cuts: 0, attempts: 0 }

  async function actUntilCutOften(): Promise<void> {
    while (tally.cuts < wantedCuts) {
      const actor = actorOf(randomUUID())
      const account = String(actor.accountId)
      const work = async (tx: Tx) => {
        const pid = await pidOf(tx)
        pids.add(pid)
        await mark(tx, account)
        await tx.execute(sql`select pg_sleep(random() * 0.01)`).catch(() => {})
        // Others get the connection meanwhile, if this one loses it.
        await wait(1)
        await mark(tx, account).catch(() => mark(tx, account))
        pids.delete(pid)
      }
      await asActor(db, actor, work).then(
        () => done.add(account),
        () => {},
      )
      tally.attempts += 1
    }
  }
  const acting = Promise.all(Array.from({ length: 12 }, () => actUntilCutOften()))
  while (tally.cuts < wantedCuts) {
    const next = tally.attempts + 4
    await eventually(
      () => {
        if (tally.attempts < next) throw new Error('not yet that far')
      },
      { everyMs: 1 },
    )
    for (const pid of [...pids].slice(0, 2)) {
      pids.delete(pid)
      await cut(pid)
      tally.cuts += 1
    }
  }
  await acting

  const byNote = Map.groupBy(await marks(), (row) => row.note)
  const foreign = [...byNote.values()].flat().filter((row) => row.account !== row.note || row.role !== 'authenticated')
  t.same(foreign, [], 'nothing ran with the rights of another')
  t.ok(
    [...byNote.values()].every((rows) => rows.length === 2),
    'nothing is half done',
  )
  t.ok(
    [...done].every((account) => byNote.has(account)),
    'what was said to be done is there',
  )
  t.ok(done.size > wantedCuts, `${done.size} of ${tally.attempts} done`)
  await proveUsable(db, 3)
})

test('a transaction that begins while its connection is being reset shares nothing with the next one', async (t) => {
  const { db, marks } = await setUp(t, 1)
  const sockets = watchSockets(t)
  await proveUsable(db, 1)
  await reset(newest(sockets))
  const [first, second] = [actorOf(randomUUID()), actorOf(randomUUID())]
  const early = asActor(db, first, (tx) => mark(tx, 'early'))
  const late = asActor(db, second, async (tx) => {
    await mark(tx, 'late')
    await mark(tx, 'later')
  })
  await t.rejects(early, lost)
  await late
  const account = second.accountId
  t.same(await marks(), [
    { note: 'late', role: 'authenticated', account },
    { note: 'later', role: 'authenticated', account },
  ])
})

test('a reset in the middle of a statement leaves a pool that works', async (t) => {
  const { db, seen } = await setUp(t, 1)
  const sockets = watchSockets(t)
  const napping = asService(db, {}, async (tx) => {
    const socket = newest(sockets)
    const sleeping = nap(tx)
    sleeping.catch(() => {})
    await seen('%pg_sleep%')
    await reset(socket)
    await sleeping
  })
  await t.rejects(napping, lost)
  await proveUsable(db, 1)
})

test('a transaction that finds no server is told apart from one that failed, so that it is tried again', async (t) => {
  const db = openDatabase({
    url: `postgres://nobody@127.0.0.1:${await findFreePort()}/exora`,
    applicationName: 'outages',
  })
  t.teardown(() => db.close())
  const refused: unknown = await asService(db, {}, (tx) => mark(tx, 'never')).catch((error: unknown) => error)
  t.match(refused, { code: 'CONNECTION_CLOSED', cause: { code: 'ECONNREFUSED' } })
  t.ok(databaseUnavailable.matches(databaseError(refused)))
})

test('a statement that is kept until its transaction has ended is refused', async (t) => {
  const { db, marks } = await setUp(t, 1)
  let kept: Tx | undefined
  await asService(db, {}, async (tx) => {
    kept = tx
    await mark(tx, 'in time')
  })
  if (kept === undefined) throw new Error('no transaction')
  const late = kept
  await asActor(db, anonymous, async () => {
    await t.rejects(mark(late, 'too late'), { cause: { message: 'the transaction has ended' } })
  })
  t.match(await marks(), [{ note: 'in time', role: 'service_role' }])
})

test('transactions, savepoints and pipelines of the driver work as they did', async (t) => {
  const { db } = await setUp(t, 2)
  const numbers = await db.sql.begin((tx) => [tx`select 1 as n`, tx`select ${2}::int as n`])
  t.same(numbers, [[{ n: 1 }], [{ n: 2 }]])
  const [setting] = await db.sql.begin('isolation level serializable read only', async (tx) => {
    const where = tx`where name = ${'transaction_isolation'}`
    return await tx<{ setting: string }[]>`select setting from ${tx('pg_settings')} ${where}`
  })
  t.equal(setting?.setting, 'serializable')
  const answers = await db.sql.begin(async (tx) => {
    const failed = await tx
      .savepoint('one', (inner) => inner`select 1 / 0`)
      .catch((error: { code: string }) => error.code)
    const [row] = await tx.savepoint((inner) => inner<{ n: number }[]>`select 3 as n`)
    return [failed, row?.n]
  })
  t.same(answers, ['22012', 3])
  await t.rejects(
    db.sql.begin((tx) => tx`select ${undefined as unknown as string}`),
    { code: 'UNDEFINED_VALUE' },
  )
  await t.rejects(db.sql.reserve(), { message: /not fenced/ })
  await proveUsable(db, 2)
})

test('the work of a lost transaction is forgotten', async (t) => {
  const { db, cut } = await setUp(t, 1)
  setFlagsFromString('--expose-gc')
  const collectGarbage: unknown = runInNewContext('gc')
  if (typeof collectGarbage !== 'function') throw new Error('no garbage collector to call')
  const held: WeakRef<object>[] = []
  for (let round = 0; round < 5; round += 1) {
    const lose = async (tx: Tx) => {
      const payload = { round }
      held.push(new WeakRef(payload))
      await cut(await pidOf(tx))
      await mark(tx, 'x').catch(() => {})
      return payload
    }
    await t.rejects(asService(db, {}, lose), lost)
  }
  await proveUsable(db, 1)
  await eventually(() => {
    collectGarbage()
    t.equal(held.filter((ref) => ref.deref() !== undefined).length, 0)
  })
})

/** As when the other side sends RST: 'error' has been told, 'close' not yet. */
async function reset(socket: Socket): Promise<void> {
  const told = once(socket, 'error')
  socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  await told
}

function newest(sockets: readonly Socket[]): Socket {
  const socket = sockets.at(-1)
  if (socket === undefined) throw new Error('no connection was opened')
  return socket
}

function gates() {
  const gate = () => Promise.withResolvers<void>()
  return [gate(), gate(), gate()] as const
}

/** The sockets that this process opens from now on. */
function watchSockets(t: Teardown): readonly Socket[] {
  const sockets: Socket[] = []
  const opened = channel('net.client.socket')
  const note = (message: unknown) => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return
    if (message.socket instanceof Socket) sockets.push(message.socket)
  }
  opened.subscribe(note)
  t.teardown(() => opened.unsubscribe(note))
  return sockets
}
