import { z } from 'zod'
import { confidences, factReviews, factStatuses, factTypes } from '../../db/schema/facts.ts'
import { scoredFacts, type ExportedDocument } from './scored-document.ts'

const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const factList = z.object({
  facts: z.array(
    z.object({
      id: z.string(),
      type: z.enum(factTypes),
      text: z.string(),
      code: z.object({ system: z.string(), code: z.string(), display: z.string() }).nullable(),
      value: z.string().nullable(),
      unit: z.string().nullable(),
      reference_range: z.string().nullable(),
      date: z.string().nullable(),
      status: z.enum(factStatuses),
      confidence: z.enum(confidences),
      reason: z.string().nullable(),
      review: z.enum(factReviews),
      held: z.boolean(),
      in_record: z.boolean(),
      sources: z.array(z.object({ page: z.number(), box, quote: z.string(), start: z.number(), length: z.number() })),
      found_by: z.object({
        pass: z.number(),
        provider: z.string(),
        model: z.string(),
        prompt_version: z.string().nullable(),
      }),
    }),
  ),
})
const pageList = z.object({ pages: z.array(z.object({ page: z.number() })) })
const wordList = z.array(z.object({ text: z.string(), box }))
const documentText = z.object({ text: z.string() })

export type Api = { readonly url: string; readonly token: string }

/** As the person whose token it is: what they may not see is not exported. */
export async function exportFromApi(api: Api, id: string, doc: string): Promise<ExportedDocument> {
  const base = `documents/${encodeURIComponent(id)}`
  const { facts } = factList.parse(await get(api, `${base}/facts`))
  const { pages } = pageList.parse(await get(api, `${base}/pages`))
  const whole = documentText.parse(await get(api, `${base}/text`)).text
  const texts = whole.split('\f')
  const exported: ExportedDocument['pages'][number][] = []
  for (const [index, { page }] of pages.entries()) {
    const words = wordList.parse(await get(api, `${base}/pages/${page}/words`))
    const printed = words.map(({ text, box: place }) => [text, ...place] as const)
    exported.push({ page, text: texts[index] ?? '', words: printed })
  }
  return { doc, facts: facts.flatMap((fact) => scoredFacts(fact, whole)), pages: exported }
}

async function get(api: Api, path: string): Promise<unknown> {
  const address = new URL(path, api.url.endsWith('/') ? api.url : `${api.url}/`)
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${api.token}` },
    signal: AbortSignal.timeout(60_000),
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return await response.json()
}
