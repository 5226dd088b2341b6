/** A share for people: never 100 % if something failed, and never 0 % if something succeeded. */
export function percent(share: number): string {
  if (share <= 0) return '0 %'
  if (share >= 1) return '100 %'
  const value = share * 100
  if (value > 99.9) return '>99.9 %'
  if (value < 0.1) return '<0.1 %'
  return value > 99 || value < 10 ? `${(Math.floor(value * 10) / 10).toFixed(1)} %` : `${Math.floor(value)} %`
}
