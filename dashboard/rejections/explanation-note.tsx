import { explanationOf } from './explanations.ts'

/** The meaning of a code, its usual cause, and what to do. */
export function ExplanationNote({ code }: { code: string }) {
  const explanation = explanationOf(code)
  if (!explanation) return null
  const { means, cause, cure } = explanation
  return (
    <div class="note explained">
      <p>
        <strong>{means}</strong>
      </p>
      <p>Usual cause: {cause}</p>
      <p>What to do: {cure}</p>
    </div>
  )
}
