/**
 * Any service that speaks OpenAI's chat completions with a JSON schema (their own, Ollama, llama.cpp). The client never
 * tries again by itself: the job does, within the limits that all workers share.
 */
import OpenAI from 'openai'
import type { ChatCompletion } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { costUsd } from './prices.ts'
import { instructions, promptVersion, questionText } from './prompt.ts'
import { translateError } from './openai-errors.ts'
import { limitsOf } from './openai-limits.ts'
import {
  aiAnswerCutOff,
  aiAnswerMalformed,
  aiRefused,
  answer,
  type AiProvider,
  type Answer,
  type Question,
} from './provider.ts'

export type OpenAiSettings = {
  readonly apiKey: string
  /** null: the maker's own address. */
  readonly baseUrl: string | null
  readonly model: string
  readonly timeoutMs?: number
}

const charactersPerToken = 3.5
const usualAnswerTokens = 1500
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
      Math.ceil((instructions.length + question.text.length) / charactersPerToken) + usualAnswerTokens,
    find: (question, { signal }) => ask(client, settings.model, question, signal),
  }
}

async function ask(client: OpenAI, model: string, question: Question, signal: AbortSignal): Promise<Answer> {
  const { completion, headers } = await complete(client, model, question, signal)
  const facts = parseFacts(completion)
  const tokensIn = completion.usage?.prompt_tokens ?? 0
  const tokensOut = completion.usage?.completion_tokens ?? 0
  return {
    facts,
    modelAnswered: completion.model,
    tokensIn,
    tokensOut,
    costUsd: costUsd(completion.model, { tokensIn, tokensOut }),
    said: limitsOf(headers),
  }
}

async function complete(
  client: OpenAI,
  model: string,
  question: Question,
  signal: AbortSignal,
): Promise<{ readonly completion: ChatCompletion; readonly headers: Headers }> {
  try {
    const call = client.chat.completions.create(
      {
        model,
        store: false,
        messages: [
          { role: 'system', content: instructions },
          { role: 'user', content: questionText(question) },
        ],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'facts', strict: true, schema: z.toJSONSchema(answer) },
        },
      },
      { signal },
    )
    const { data, response } = await call.withResponse()
    return { completion: data, headers: response.headers }
  } catch (error) {
    // Stopped by us: why is the engine's to say.
    signal.throwIfAborted()
    throw translateError(error)
  }
}

function parseFacts(completion: ChatCompletion): Answer['facts'] {
  const choice = completion.choices?.[0]
  if (choice === undefined) throw aiAnswerMalformed()
  if (choice.finish_reason === 'length') throw aiAnswerCutOff()
  if (choice.finish_reason === 'content_filter' || typeof choice.message.refusal === 'string') throw aiRefused()
  const parsed = answer.safeParse(parseJson(choice.message.content))
  // The error of the schema would quote the answer, which is clinical content.
  if (!parsed.success) throw aiAnswerMalformed()
  return parsed.data.facts
}

function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
