import type { AiProvider } from './provider.ts'

export type AiSettings = {
  /** null: rules alone, nothing leaves the machine. */
  readonly apiKey: string | null
  readonly baseUrl: string | null
  readonly model: string
}

export async function createAiProvider(settings: AiSettings): Promise<AiProvider | null> {
  const { apiKey, baseUrl, model } = settings
  if (apiKey === null) return null
  // Loaded only where it is used: the client is large.
  const { createOpenAi } = await import('./openai.ts')
  return createOpenAi({ apiKey, baseUrl, model })
}
