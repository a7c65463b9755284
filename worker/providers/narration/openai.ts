/** Storylines from any service that speaks OpenAI's chat completions with a JSON schema. It asks once: the job tries again. */
import OpenAI from 'openai'
import type { ChatCompletion } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { narrateInstructions, narratePromptVersion, narrateQuestionText } from './prompt.ts'
import {
  toldStories,
  type NarrateAnswer,
  type NarrateOutcome,
  type NarrateQuestion,
  type Narrator,
} from './provider.ts'
import { translateError } from '../ai/openai-errors.ts'
import { limitsOf } from '../ai/openai-limits.ts'
import { costUsd } from '../ai/prices.ts'

export type NarratorSettings = {
  readonly apiKey: string
  /** null: the maker's own address. */
  readonly baseUrl: string | null
  readonly model: string
  readonly timeoutMs?: number
}

const charactersPerToken = 3.5
const mostAnswerTokens = 6_000
const defaultTimeoutMs = 120_000

export function createOpenAiNarrator(settings: NarratorSettings): Narrator {
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
    promptVersion: narratePromptVersion,
    // An answer is about as long as what it tells.
    estimateTokens: (question) => tokensOf(asked(question)) + tokensOf(narrateQuestionText(question)),
    narrate: (question, { signal }) => ask(client, settings.model, question, signal),
  }
}

const asked = (question: NarrateQuestion) => `${narrateInstructions}${narrateQuestionText(question)}`
const tokensOf = (text: string) => Math.ceil(text.length / charactersPerToken)

async function ask(
  client: OpenAI,
  model: string,
  question: NarrateQuestion,
  signal: AbortSignal,
): Promise<NarrateAnswer> {
  try {
    const call = client.chat.completions.create(
      {
        model,
        store: false,
        max_completion_tokens: mostAnswerTokens,
        messages: [
          { role: 'system', content: narrateInstructions },
          { role: 'user', content: narrateQuestionText(question) },
        ],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'stories', strict: true, schema: z.toJSONSchema(toldStories) },
        },
      },
      { signal },
    )
    const { data, response } = await call.withResponse()
    return answerOf(data, model, question, response.headers)
  } catch (error) {
    // Stopped by us: why is the engine's to say.
    signal.throwIfAborted()
    throw translateError(error)
  }
}

function answerOf(
  completion: ChatCompletion,
  model: string,
  question: NarrateQuestion,
  headers: Headers,
): NarrateAnswer {
  const content = completion.choices?.[0]?.message?.content ?? ''
  // Some services leave the usage out: then it is what the words are worth, never nothing.
  const tokensIn = count(completion.usage?.prompt_tokens) ?? tokensOf(asked(question))
  const tokensOut = count(completion.usage?.completion_tokens) ?? tokensOf(content)
  const modelAnswered = typeof completion.model === 'string' && completion.model !== '' ? completion.model : model
  return {
    outcome: outcomeOf(completion, content),
    modelAnswered,
    tokensIn,
    tokensOut,
    costUsd: costUsd(modelAnswered, { tokensIn, tokensOut }),
    said: limitsOf(headers),
  }
}

const count = (told: unknown): number | null =>
  typeof told === 'number' && Number.isSafeInteger(told) && told >= 0 ? told : null

function outcomeOf(completion: ChatCompletion, content: string): NarrateOutcome {
  const choice = completion.choices?.[0]
  if (choice === undefined) return { kind: 'malformed' }
  if (choice.finish_reason === 'length') return { kind: 'cut_off' }
  if (choice.finish_reason === 'content_filter' || typeof choice.message?.refusal === 'string')
    return { kind: 'refused' }
  const parsed = toldStories.safeParse(parseJson(content))
  return parsed.success ? { kind: 'stories', stories: parsed.data.stories } : { kind: 'malformed' }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
