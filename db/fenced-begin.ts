import postgres from 'postgres'
import { TransactionFence, connectionLost } from './transaction-fence.ts'
import type { Work } from './transaction-fence.ts'

/**
 * The same client, but a transaction keeps to itself.
 *
 * postgres.js 3.4.9 lets the work of a transaction go on after its connection is lost or given back: its statements,
 * and the ROLLBACK or COMMIT after them, go to whoever has that connection by then, into another actor's transaction,
 * or to nobody, which throws outside of any promise and ends the process. Here a transaction whose connection is gone
 * sends nothing any more: what it asks is refused, and the driver never hears how its work ended.
 *
 * Relied upon, besides what the fence says: `begin` sends BEGIN by the client's own `unsafe` before it returns, with a
 * function that is told the connection, and the option `onclose` is called before the connection is used again.
 */
export function withFencedTransactions(client: postgres.Sql): postgres.Sql {
  const begin = client.begin.bind(client)
  const unsafe = client.unsafe.bind(client)
  const fences = new Map<number, TransactionFence>()
  let beginning: TransactionFence | null = null

  const onClose = (connectionId: number) => {
    fences.get(connectionId)?.close()
    fences.delete(connectionId)
  }

  function sendBegin(fence: TransactionFence, [text, values, options]: readonly unknown[]): unknown {
    if (!isForBegin(options)) throw new TypeError('this driver begins transactions in another way')
    const onexecute = (connection: { readonly id: number }) => {
      fences.set(connection.id, fence)
      return options.onexecute(connection)
    }
    return fence.track(Reflect.apply(unsafe, undefined, [text, values, { ...options, onexecute }]))
  }

  async function beginOnce(options: string, work: Work): Promise<unknown> {
    const fence = new TransactionFence()
    try {
      beginning = fence
      const whole = begin(options, (tx) => fence.run(tx, work))
      if (beginning !== null) throw new TypeError('this driver begins transactions in another way')
      return await whole
    } finally {
      beginning = null
      fence.close()
    }
  }

  async function beginFenced(options: string, work: Work): Promise<unknown> {
    let hasBegun = false
    const noted: Work = (tx) => {
      hasBegun = true
      // Known by now, for all connections of the client. Each new one would ask again, and to lose it while it asks
      // would end the process: nothing in the driver waits for that answer.
      client.options.fetch_types = false
      return work(tx)
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await beginOnce(options, noted)
      } catch (error) {
        if (hasBegun || attempt === attempts || !mayBeOfAnother(error))
          throw isOfSystem(error) ? connectionLost(error) : error
      }
    }
  }

  Object.assign(client.options, { onclose: onClose })
  return Object.assign(client, {
    unsafe: (...args: unknown[]): unknown => {
      const fence = beginning
      beginning = null
      return fence === null ? Reflect.apply(unsafe, undefined, args) : sendBegin(fence, args)
    },
    begin: (first: string | Work, second?: Work) => {
      const [options, work] = typeof first === 'string' ? [first, second] : ['', first]
      if (work === undefined) throw new TypeError('a transaction needs work')
      return beginFenced(options, work)
    },
    // It has the same faults and no such fence.
    reserve: () => Promise.reject(new Error('a reserved connection is not fenced; begin a transaction')),
  })
}

const attempts = 4

/**
 * What a server said last in a session that ended in the middle of a statement stays behind in the driver, which takes
 * it for the answer to what the next session is asked first. A login that is refused is its own.
 */
const mayBeOfAnother = (error: unknown) => error instanceof postgres.PostgresError && !error.code.startsWith('28')

/** What BEGIN and COMMIT meet comes as the system says it; who tries again listens for the driver's word. */
const isOfSystem = (error: unknown) =>
  error instanceof Error && 'code' in error && /^(ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND)/.test(String(error.code))

type ForBegin = { readonly onexecute: (connection: { readonly id: number }) => unknown }

function isForBegin(options: unknown): options is ForBegin {
  return typeof options === 'object' && options !== null && 'onexecute' in options
}
