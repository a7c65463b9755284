import postgres from 'postgres'
import { backoffMs } from '../platform/backoff.ts'

/** What else a subscriber wants to be told, besides what is notified. */
export type ListenHooks = {
  /** At each (re)connection: what was notified before it is lost, so look there for what was missed. */
  readonly onListening?: () => void
  /** The connection is gone; another is on its way. Not told of one that `relisten` gave up. */
  readonly onLost?: () => void
}

export type Listening = {
  /** Resolves when the channel is listened to; rejects when the connection that it waits for cannot be made. */
  readonly listen: (
    channel: string,
    onNotify: (payload: string) => void,
    hooks?: ListenHooks,
  ) => Promise<{ stop: () => Promise<void> }>
  /** Gives up the connection, whatever it looks like, and makes another. */
  readonly relisten: () => void
  readonly close: () => Promise<void>
}

type Subscription = ListenHooks & {
  readonly channel: string
  readonly onNotify: (payload: string) => void
  readonly first: PromiseWithResolvers<void>
  isEstablished: boolean
}

// One life of the connection: given up as a whole, since a connection that the network has swallowed closes for nobody.
type Life = { readonly client: postgres.Sql; isListening: boolean }

type ClientSettings = { readonly connection: { readonly application_name: string } }

// A peer that vanished without a word is noticed by the system in half a minute, also where nobody sends pings.
const keepAliveSeconds = 15
const connectSeconds = 5
const startMs = 10_000

/**
 * The one connection that LISTENs, for all channels; it comes back by itself. postgres.js could do that too, but tells
 * nobody when its connection is lost, and one that is open and silent it keeps for ever.
 *
 * Relied upon: the option `onnotify` of postgres.js 3.4, which its types do not have. Without it nothing would be heard,
 * which the self-test of the workers reports.
 */
export function createListening(url: string, settings: ClientSettings): Listening {
  const subscriptions = new Set<Subscription>()
  let life: Life | null = null
  let failures = 0
  let retry: NodeJS.Timeout | undefined
  let isClosed = false

  function begin(): void {
    clearTimeout(retry)
    const options = {
      ...settings,
      max: 1,
      prepare: false,
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: 0,
      connect_timeout: connectSeconds,
      keep_alive: keepAliveSeconds,
      onnotice: () => {},
      onclose: () => endOf(begun),
      onnotify: (channel: string, payload: string) => {
        if (life === begun) tell(channel, payload)
      },
    }
    const begun: Life = { client: postgres(url, options), isListening: false }
    life = begun
    const limit = setTimeout(() => endOf(begun), startMs)
    const channels = new Set([...subscriptions].map(({ channel }) => channel))
    begun.client
      .unsafe([...channels].map(listenTo).join('; '))
      .then(
        () => established(begun, channels),
        (error: unknown) => endOf(begun, error),
      )
      .finally(() => clearTimeout(limit))
  }

  function tell(channel: string, payload: string): void {
    for (const subscription of subscriptions) if (subscription.channel === channel) subscription.onNotify(payload)
  }

  function established(begun: Life, channels: ReadonlySet<string>): void {
    if (life !== begun) return
    begun.isListening = true
    failures = 0
    for (const subscription of subscriptions) {
      if (channels.has(subscription.channel)) welcome(subscription)
      else add(begun, subscription)
    }
  }

  function welcome(subscription: Subscription): void {
    subscription.isEstablished = true
    subscription.first.resolve()
    subscription.onListening?.()
  }

  function add({ client }: Life, subscription: Subscription): void {
    client.unsafe(listenTo(subscription.channel)).then(
      () => welcome(subscription),
      (error: unknown) => refuse(subscription, error),
    )
  }

  function refuse(subscription: Subscription, error: unknown): void {
    // Who has listened before waits for the next connection; who has not is told.
    if (subscription.isEstablished) return
    subscriptions.delete(subscription)
    subscription.first.reject(error)
  }

  function endOf(ended: Life, error: unknown = new Error('the LISTEN connection was closed')): void {
    if (life !== ended) return
    abandon()
    failures += 1
    for (const subscription of subscriptions) {
      refuse(subscription, error)
      if (ended.isListening && subscription.isEstablished) subscription.onLost?.()
    }
    if (subscriptions.size > 0) retry = setTimeout(begin, 50 + backoffMs(failures, { baseMs: 250, maxMs: 5_000 }))
  }

  function leave(subscription: Subscription): void {
    subscriptions.delete(subscription)
    const isHeardByOthers = [...subscriptions].some(({ channel }) => channel === subscription.channel)
    if (isHeardByOthers || life?.isListening !== true) return
    // Nobody waits for it: on a connection that the network has swallowed there is no answer.
    life.client.unsafe(`un${listenTo(subscription.channel)}`).catch(() => {})
  }

  function abandon(): void {
    void life?.client.end({ timeout: 0 })
    life = null
    clearTimeout(retry)
  }

  return {
    async listen(channel, onNotify, hooks = {}) {
      if (isClosed) throw new Error('the database has been closed')
      const first = Promise.withResolvers<void>()
      const subscription: Subscription = { ...hooks, channel, onNotify, first, isEstablished: false }
      subscriptions.add(subscription)
      if (life === null) begin()
      else if (life.isListening) add(life, subscription)
      await first.promise
      return { stop: async () => leave(subscription) }
    },
    relisten() {
      if (isClosed || subscriptions.size === 0) return
      abandon()
      begin()
    },
    async close() {
      isClosed = true
      subscriptions.clear()
      const last = life?.client
      life = null
      clearTimeout(retry)
      await last?.end({ timeout: 1 })
    },
  }
}

const listenTo = (channel: string) => `listen "${channel.replaceAll('"', '""')}"`
