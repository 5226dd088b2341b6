/** A handler's options in words, with what holds where nothing was said. */
import { duration } from '../ui/units.ts'

export interface Said {
  name: string
  text: string
  isDefault: boolean
}

const defaults = { attempts: 12, backoff: 5000, timeout: 900_000, concurrency: 25 }

/** Functions are not told of by the server: an order by a function looks like none. */
export function optionsOf(options: Readonly<Record<string, unknown>>): Said[] {
  const number = (name: keyof typeof defaults): number =>
    typeof options[name] === 'number' ? options[name] : defaults[name]
  const said = (name: keyof typeof defaults, label: string, text: string): Said => ({
    ...{ name: label, text },
    isDefault: options[name] === undefined || options[name] === defaults[name],
  })
  const isOrdered = options.order === 'repository'
  return [
    said('attempts', 'Attempts', number('attempts') === 1 ? 'one, and no retry' : `${number('attempts')} at most`),
    said('backoff', 'First wait', `${duration(number('backoff'))} at most, then three times as long each`),
    said('timeout', 'May take', duration(number('timeout'))),
    said('concurrency', 'At once', `${number('concurrency')} in each process`),
    {
      name: 'Order',
      text: isOrdered ? 'one at a time for each repository, in order of receipt' : 'none, or that of a function',
      isDefault: !isOrdered,
    },
  ]
}
