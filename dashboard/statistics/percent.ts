/** Rounds a share so that it is 100 % only if nothing failed, and 0 % only if nothing succeeded. */
export function percent(share: number): string {
  if (share <= 0) return '0 %'
  if (share >= 1) return '100 %'
  const value = share * 100
  if (value > 99.9) return '>99.9 %'
  if (value < 0.1) return '<0.1 %'
  return value > 99 || value < 10 ? `${(Math.floor(value * 10) / 10).toFixed(1)} %` : `${Math.floor(value)} %`
}
