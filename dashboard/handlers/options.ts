/** The options of a handler as text, with their defaults. */
import { duration } from '../ui/units.ts'

interface OptionText {
  name: string
  text: string
  isDefault: boolean
}

const defaults = { attempts: 12, backoff: 5000, timeout: 900_000, concurrency: 25 }

/** Maximum attempts of a handler that run at the same time in a process. */
export const concurrencyOf = (options: Readonly<Record<string, unknown>>): number =>
  typeof options.concurrency === 'number' ? options.concurrency : defaults.concurrency

export function optionsOf(options: Readonly<Record<string, unknown>>): OptionText[] {
  const number = (name: keyof typeof defaults): number =>
    typeof options[name] === 'number' ? options[name] : defaults[name]
  const said = (name: keyof typeof defaults, label: string, text: string): OptionText => ({
    ...{ name: label, text },
    isDefault: options[name] === undefined || options[name] === defaults[name],
  })
  const order = orders[String(options.order)]
  const retries = number('attempts') > 1
  return [
    said('attempts', 'Attempts', retries ? `up to ${number('attempts')}` : '1, without retries'),
    ...(retries
      ? [said('backoff', 'Backoff', `up to ${duration(number('backoff'))}, tripled after each further failure`)]
      : []),
    said('timeout', 'Timeout', duration(number('timeout'))),
    said('concurrency', 'Concurrency', `${number('concurrency')} in each process`),
    { name: 'Order', text: order ?? 'none', isDefault: order === undefined },
  ]
}

const orders: Readonly<Record<string, string>> = {
  repository: 'one at a time for each repository, in order of receipt',
  function: 'one at a time for each key from a function, in order of receipt',
}
