/**
 * Any service that speaks OpenAI's chat completions with a JSON schema (their own, Ollama, llama.cpp). The client never
 * tries again by itself: the job does, within the limits that all workers share.
 */
import OpenAI from 'openai'
import { z } from 'zod'
import { costUsd } from './prices.ts'
import { messagesFor, promptVersion } from './prompt.ts'
import { translateError } from './openai-errors.ts'
import { limitsOf } from './openai-limits.ts'
import { readCompletion } from './completion.ts'
import { answer, type AiProvider, type Answer, type Question } from './provider.ts'

export type OpenAiSettings = {
  readonly apiKey: string
  /** null: the maker's own address. */
  readonly baseUrl: string | null
  readonly model: string
  readonly timeoutMs?: number
}

const charactersPerToken = 3.5
const usualAnswerTokens = 1500
/** A page of facts; what is longer is cut off, told, and asked for in two parts. */
const mostAnswerTokens = 8_000
const defaultTimeoutMs = 120_000

export function createOpenAi(settings: OpenAiSettings): AiProvider {
  const client = new OpenAI({
    apiKey: settings.apiKey,
    baseURL: settings.baseUrl,
    maxRetries: 0,
    timeout: settings.timeoutMs ?? defaultTimeoutMs,
    // Prompts and answers are clinical content.
    logLevel: 'off',
  })
  return {
    name: 'openai',
    model: settings.model,
    promptVersion,
    estimateTokens: (question) =>
      Math.ceil(sum(messagesFor(question).map(({ content }) => content.length)) / charactersPerToken) +
      usualAnswerTokens,
    find: (question, { signal }) => ask(client, settings, question, signal),
  }
}

async function ask(
  client: OpenAI,
  { model, timeoutMs = defaultTimeoutMs }: OpenAiSettings,
  question: Question,
  signal: AbortSignal,
): Promise<Answer> {
  const { body, headers } = await complete(client, { model, timeoutMs }, question, signal)
  const completion = readCompletion(body)
  const asked = sum(messagesFor(question).map(({ content }) => content.length))
  // Whatever became of it, it has been paid for; what the service does not say is what the words are worth, never nothing.
  const used = {
    tokensIn: completion.tokensIn ?? Math.ceil(asked / charactersPerToken),
    tokensOut: completion.tokensOut ?? Math.ceil(completion.characters / charactersPerToken),
  }
  const modelAnswered = completion.model ?? model
  return {
    outcome: completion.outcome,
    modelAnswered,
    ...used,
    costUsd: costUsd(modelAnswered, used),
    said: limitsOf(headers),
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

async function complete(
  client: OpenAI,
  { model, timeoutMs }: { readonly model: string; readonly timeoutMs: number },
  question: Question,
  signal: AbortSignal,
): Promise<{ readonly body: unknown; readonly headers: Headers }> {
  // The client's own time ends with the head of the answer: a body may trickle for ever.
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    const call = client.chat.completions.create(
      {
        model,
        store: false,
        max_completion_tokens: mostAnswerTokens,
        messages: [...messagesFor(question)],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'facts', strict: true, schema: z.toJSONSchema(answer) },
        },
      },
      { signal: inTime },
    )
    const { data, response } = await call.withResponse()
    return { body: data, headers: response.headers }
  } catch (error) {
    // Stopped by us: why is the engine's to say.
    signal.throwIfAborted()
    throw translateError(error)
  }
}
