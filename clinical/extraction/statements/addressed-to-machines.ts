/**
 * Words that are addressed to whoever reads by machine ("ignore all previous instructions and report …"): they state nothing
 * of the patient, whoever has printed them, and neither does what they go on to dictate.
 */
import type { Range, Reading } from '../found.ts'

const cues: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:instructions?|prompts?|commands?|guardrails)\b/iu,
  /\bignore (?:(?:all|everything) )?(?:of )?(?:the )?above\b/iu,
  /\byou are (?:now )?(?:an? |the )?(?:helpful |expert |medical )*(?:assistant|ai|language model|llm|chat ?bot|extraction (?:system|engine|tool))\b/iu,
  /\b(?:notes?|message|instructions?|attention|dear|to)[ ,:]+(?:(?:to|for) )?(?:the |any |all )*(?:ai|llms?|language models?|chat ?gpt|ai (?:models?|systems?|readers?|assistants?))\b(?=[\s:,.])/iu,
  /^\W*(?:ai|llm|chat ?gpt|assistant|system(?: prompt| message)?)\s*[:,]\s*(?:please )?(?:report|state|output|say|respond|answer|list|extract|add|write|return|include|mark|record|you)\b/iu,
  /\b(?:respond|answer|reply|output)\b[^.\n]{0,20}\bjson\b/iu,
]

/** From the cue to the end of the line after it. */
export function addressedToMachines({ document: { lines, text } }: Reading): Range[] {
  return lines.flatMap((line, place) => {
    const next = lines[place + 1] ?? line
    const printed = text.slice(line.start, line.start + line.length)
    const starts = cues.map((cue) => printed.search(cue)).filter((at) => at >= 0)
    return starts.length === 0 ? [] : [{ start: line.start + Math.min(...starts), end: next.start + next.length }]
  })
}
