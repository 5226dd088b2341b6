import './statistics.css'

/** A small line chart beside a total. */
export function Sparkline({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts)
  const points = counts.map((count, index) => {
    const x = (index / Math.max(1, counts.length - 1)) * 100
    return `${x.toFixed(1)},${(19 - (count / most) * 18).toFixed(1)}`
  })
  return (
    <svg class="sparkline" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} vector-effect="non-scaling-stroke" />
    </svg>
  )
}
