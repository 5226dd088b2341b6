import { percent } from './percent.ts'
import './statistics.css'

/** A success rate as text and as a bar. */
export function Rate({ share }: { share: number | undefined }) {
  if (share === undefined) return <span class="soft">–</span>
  return (
    <span class="rate">
      <span class="number">{percent(share)}</span>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="rest" width="100" height="6" />
        <rect class="share" width={share * 100} height="6" />
      </svg>
    </span>
  )
}
