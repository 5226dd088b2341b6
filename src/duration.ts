const second = 1000
const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  m: 60 * second,
  h: 3600 * second,
  d: 86_400 * second,
}

/** Of `30d`, `12h`, `15m`, `30s`, `500ms`; `undefined` for what is no such time. */
export function millisecondsOf(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (units[unit] ?? 0)
  return digits === '' || ms < 1 || !Number.isSafeInteger(ms) ? undefined : ms
}
