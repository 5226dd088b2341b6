import { useMemo, useState } from 'preact/hooks'
import { CopyButton } from '../ui/copy.tsx'
import { plain } from '../ui/text.ts'
import { count } from '../ui/units.ts'
import { foldText } from './fold-text.ts'

/** Maximum characters shown, since browsers lay out longer texts slowly. The copy button copies the whole text. */
const maxShown = 100_000

/** A text that is folded at first if it is long. */
export function LongText({ title, text }: { title: string; text: string }) {
  const [isWhole, setWhole] = useState(false)
  const short = useMemo(() => foldText(text), [text])
  const isFolded = !isWhole && short.left > 0
  const shown = isFolded ? short.text : text.slice(0, maxShown)
  return (
    <section class="long-text" aria-label={title}>
      <header>
        <h4>{title}</h4>
        <CopyButton text={() => text} what={`the ${title.toLowerCase()}`} />
      </header>
      {/* A long text scrolls, so the keyboard must be able to reach it. */}
      <pre class={`foreign ${isWhole ? 'whole' : ''}`} tabIndex={isWhole ? 0 : undefined}>
        {plain(shown, maxShown)}
      </pre>
      {isFolded && (
        <button type="button" class="button slim" onClick={() => setWhole(true)}>
          Show all {count(text.length)} characters
        </button>
      )}
      {isWhole && text.length > maxShown && (
        <p class="soft small">
          {count(text.length - maxShown)} more characters are not shown. Copy the text to get all of it.
        </p>
      )}
    </section>
  )
}
