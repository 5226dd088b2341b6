import { explanationOf } from './explanations.ts'

/** The meaning of a code, its usual cause, and the remedy. */
export function ExplanationNote({ code }: { code: string }) {
  const explanation = explanationOf(code)
  if (!explanation) return null
  const { means, cause, cure } = explanation
  return (
    <div class="note explained">
      <p>
        <strong>{means}</strong>
      </p>
      <p>Usually: {cause}</p>
      <p>What to do: {cure}</p>
    </div>
  )
}
