import type { Stats } from '../../src/server/api/schemas/responses.ts'
import { linkTo } from '../address.ts'
import { Icon } from '../ui/icon.tsx'
import { searchFor } from '../ui/search.ts'
import { plain } from '../ui/text.ts'

/** The place of this page that shows more. */
const places: Readonly<Record<string, string>> = {
  wrong_signatures: linkTo('rejected', { code: 'wrong_signature' }),
  all_rejected: linkTo('rejected', { code: 'forbidden_origin' }),
  not_stored: linkTo('rejected', { code: 'inbox_unavailable' }),
  dead: searchFor({ state: 'dead' }),
  paused: linkTo('handlers'),
  not_handled: searchFor({ state: 'pending' }),
}

/** Warnings, and what to do about them. */
export function Warnings({ warnings }: { warnings: Stats['warnings'] }) {
  return (
    <section class="warnings" aria-label="Warnings" aria-live="polite">
      {warnings.length === 0 && (
        <p class="note well">
          <Icon name="done" />
          All is well: there are no warnings.
        </p>
      )}
      {warnings.map(({ code, message, cure }) => (
        <div key={code} class="note warn">
          <Icon name="warning" />
          <div class="said">
            <p>
              <strong class="foreign">{sentence(message)}</strong> <span class="tag">{code}</span>
            </p>
            <p>
              What to do: <span class="foreign">{sentence(cure)}</span>
            </p>
          </div>
          {places[code] && (
            <a class="button slim end" href={places[code]}>
              Show them
            </a>
          )}
        </div>
      ))}
    </section>
  )
}

/** An error message may already end with a full stop. */
const sentence = (text: string): string => plain(text, 1000).replace(/[.\s]*$/, '.')
