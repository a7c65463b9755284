/** Storylines from any service that speaks OpenAI's chat completions with a JSON schema. It asks once: the job tries again. */
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
import { openAiCalls, type OpenAiCall, type OpenAiService } from '../ai/openai-call.ts'
import { limitsOf } from '../ai/openai-limits.ts'
import { costUsd } from '../ai/prices.ts'

const charactersPerToken = 3.5
const mostAnswerTokens = 6_000

export function createOpenAiNarrator(settings: OpenAiService): Narrator {
  const call = openAiCalls(settings)
  return {
    name: 'openai',
    model: settings.model,
    promptVersion: narratePromptVersion,
    // An answer is about as long as what it tells.
    estimateTokens: (question) => tokensOf(asked(question)) + tokensOf(narrateQuestionText(question)),
    narrate: (question, { signal }) => ask(call, settings.model, question, signal),
  }
}

const asked = (question: NarrateQuestion) => `${narrateInstructions}${narrateQuestionText(question)}`
const tokensOf = (text: string) => Math.ceil(text.length / charactersPerToken)

async function ask(
  call: OpenAiCall,
  model: string,
  question: NarrateQuestion,
  signal: AbortSignal,
): Promise<NarrateAnswer> {
  const messages = [
    { role: 'system', content: narrateInstructions },
    { role: 'user', content: narrateQuestionText(question) },
  ] as const
  const form = { name: 'stories', schema: z.toJSONSchema(toldStories) }
  const { completion, headers } = await call({ messages, mostAnswerTokens, form }, signal)
  return answerOf(completion, model, question, headers)
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
