/** Storylines from any service that speaks OpenAI's chat completions. It asks once: the job tries again. */
import { narrateInstructions, narratePromptVersion, narrateQuestionText } from './prompt.ts'
import { toldStories, type NarrateQuestion, type Narrator } from './provider.ts'
import { openAiCalls, type OpenAiService } from '../ai/openai-call.ts'
import { askInForm, tokensOf } from '../ai/openai-form.ts'

const mostAnswerTokens = 6_000

export function createOpenAiNarrator(settings: OpenAiService): Narrator {
  const call = openAiCalls(settings)
  const { model } = settings
  return {
    name: 'openai',
    model,
    promptVersion: narratePromptVersion,
    // An answer is about as long as what it tells.
    estimateTokens: (question) => tokensOf(narrateInstructions.length + 2 * narrateQuestionText(question).length),
    narrate: async (question, { signal }) => {
      const form = { name: 'stories', schema: toldStories }
      const asked = { model, messages: messagesFor(question), mostAnswerTokens, form }
      const { outcome, ...paid } = await askInForm(call, asked, signal)
      if (outcome.kind === 'answered') return { ...paid, outcome: { kind: 'stories', ...outcome.value } }
      // What stood there is of no use, and is content: only that it was so is kept.
      return { ...paid, outcome: { kind: outcome.kind } }
    },
  }
}

const messagesFor = (question: NarrateQuestion) =>
  [
    { role: 'system', content: narrateInstructions },
    { role: 'user', content: narrateQuestionText(question) },
  ] as const
