import { Icon } from './icon.tsx'

/** Shows an error, and a button to try again. */
export function Failure({ error, again }: { error: Error; again: () => void }) {
  return (
    <div class="note bad" role="alert">
      <Icon name="warning" />
      <span class="foreign">{error.message}</span>
      <button type="button" class="button slim end" onClick={again}>
        <Icon name="again" />
        Try again
      </button>
    </div>
  )
}
