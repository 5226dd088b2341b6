/** Formats numbers with their units. */

const times = [
  { name: 'ms', ms: 1, below: 1000 },
  { name: 's', ms: 1000, below: 60 },
  { name: 'min', ms: 60_000, below: 60 },
  { name: 'h', ms: 3_600_000, below: 48 },
]

/** Formats milliseconds in a unit that fits. A value below 10 has at most one decimal. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 1) return '<1 ms'
  for (const { name, ms: unit, below } of times) {
    const value = rounded(ms / unit)
    if (value < below) return `${value} ${name}`
  }
  return `${Math.round(ms / 86_400_000)} d`
}

const rounded = (value: number): number => (value < 10 ? Number(value.toFixed(1)) : Math.round(value))

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10))
  const value = count / 1024 ** power
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}

const whole = new Intl.NumberFormat('en')

/** With thousands separators. */
export const count = (number: number): string => whole.format(number)

/** `1 delivery`, `12 deliveries`. */
export const counted = (number: number, one: string, many: string): string =>
  `${count(number)} ${number === 1 ? one : many}`

export const deliveries = (number: number): string => counted(number, 'delivery', 'deliveries')
