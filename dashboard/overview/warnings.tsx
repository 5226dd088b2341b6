import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { Icon } from '../ui/icon.tsx'
import { plain } from '../ui/text.ts'
import { actions, type WarningAction } from './warning-actions.ts'

/** The warnings of the server, each with advice and a link or button. */
export function Warnings({ warnings }: { warnings: Stats['warnings'] }) {
  return (
    <section class="warnings" aria-label="Warnings" aria-live="polite">
      {warnings.length === 0 && (
        <p class="note well">
          <Icon name="done" />
          No warnings
        </p>
      )}
      {warnings.map(({ code, message, cure }) => (
        <div key={code} class="note warn">
          <Icon name="warning" />
          <div class="said">
            <p>
              <strong class="foreign">{sentence(message)}</strong>{' '}
              <span class="tag" title="The code of this warning in the API">
                {code}
              </span>
            </p>
            <p>
              What to do: <span class="foreign">{sentence(actions[code]?.cure ?? cure)}</span>
            </p>
          </div>
          <Action action={actions[code]} />
        </div>
      ))}
    </section>
  )
}

function Action({ action }: { action: WarningAction | undefined }) {
  if (!action) return null
  const { label, to } = action
  if ('link' in to) {
    return (
      <a class="button slim end" href={to.link}>
        {label}
      </a>
    )
  }
  const show = () => {
    const card = document.getElementById(to.card)
    card?.scrollIntoView({ block: 'start' })
    card?.focus({ preventScroll: true })
  }
  return (
    <button type="button" class="button slim end" onClick={show}>
      {label}
    </button>
  )
}

/** Ends a text with a period, which an error message may already have. */
const sentence = (text: string): string => plain(text, 1000).replace(/[.\s]*$/, '.')
