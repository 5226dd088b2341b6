import { explanationOf } from './explanations.ts'

/** What a code means, what usually causes it, and what to do. */
export function Explained({ code }: { code: string }) {
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
