/** Answers leave out what is zero or unknown, so every field is read as if it might be missing. */
import { z } from 'zod'
import { polySchema, turnedBox } from './google-boxes.ts'
import type { PictureSize, Turn } from './google-boxes.ts'
import { pictureError } from './google-errors.ts'
import { linesOf } from './google-lines.ts'
import { inReadingOrder } from './google-order.ts'
import { piecesOf, wordSchema } from './google-words.ts'
import type { Piece } from './google-words.ts'
import { meanConfidence, ocrUnavailable } from './provider.ts'
import type { OcrOutcome, OcrResult, OcrWord } from './provider.ts'

const listOf = <T extends z.ZodType>(item: T) => z.array(item).nullish()

const paragraphSchema = z.object({ boundingBox: polySchema, words: listOf(wordSchema) })
const blockSchema = z.object({ boundingBox: polySchema, paragraphs: listOf(paragraphSchema) })
type Block = z.infer<typeof blockSchema>

const responseSchema = z.object({
  error: z.object({ code: z.number().nullish() }).nullish(),
  fullTextAnnotation: z.object({ pages: listOf(z.object({ blocks: listOf(blockSchema) })) }).nullish(),
})

const answerSchema = z.tuple([z.object({ responses: z.array(z.unknown()) })])

/** `answer`: the answer, and what the client says of it beside. */
export function readAnswer(answer: unknown, pictures: readonly PictureSize[]): OcrOutcome[] {
  const parsed = answerSchema.safeParse(Array.isArray(answer) ? answer.slice(0, 1) : answer)
  const responses = parsed.data?.[0].responses
  // Nothing in a response says which picture it is about: where one is missing, none can be told.
  if (responses?.length !== pictures.length) throw ocrUnavailable({ reason: 'malformed answer' })
  return pictures.map((picture, index) => readResponse(responses[index], picture))
}

function readResponse(response: unknown, picture: PictureSize): OcrOutcome {
  const { data } = responseSchema.safeParse(response)
  if (data === undefined) return { kind: 'failed', error: ocrUnavailable({ reason: 'malformed answer' }) }
  const code = data.error?.code ?? 0
  if (code !== 0) return { kind: 'failed', error: pictureError(code) }
  const blocks = (data.fullTextAnnotation?.pages ?? []).flatMap((page) => page.blocks ?? [])
  return { kind: 'read', result: resultOf(blocks, picture) }
}

function resultOf(blocks: readonly Block[], picture: PictureSize): OcrResult {
  const pieces = blocks.map((block) =>
    (block.paragraphs ?? []).map((paragraph) =>
      (paragraph.words ?? []).flatMap((word) => piecesOf(word, [paragraph.boundingBox, block.boundingBox], picture)),
    ),
  )
  const uprightTurn = turnOf(pieces.flat(2))
  const placed = pieces.map((paragraphs) =>
    paragraphs.map((paragraph) =>
      paragraph.map((piece) => ({ ...piece, upright: turnedBox(piece.box, uprightTurn, picture) })),
    ),
  )
  const words = numbered(inReadingOrder(placed.map(linesOf)))
  return { words, confidence01: meanConfidence(words), uprightTurn }
}

/** As most letters stand; a page without any is as upright as it was. */
function turnOf(pieces: readonly Piece[]): Turn {
  const letters = new Map<Turn, number>([[0, 0]])
  for (const { turn, text } of pieces) if (turn !== null) letters.set(turn, (letters.get(turn) ?? 0) + text.length)
  return [...letters].reduce((most, next) => (next[1] > most[1] ? next : most))[0]
}

function numbered(blocks: ReturnType<typeof inReadingOrder>): OcrWord[] {
  let line = -1
  return blocks.flatMap((lines, block) =>
    lines.flatMap((words) => {
      line += 1
      return words.map(({ text, confidence01, box }) => ({ text, confidence01, box, line, block }))
    }),
  )
}
