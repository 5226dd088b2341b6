import { readFileSync } from 'node:fs'
import type { DeliveryDetail } from 'hookserver'

/** A line of the journal: a handler began or ended. */
export interface Note {
  machine: string
  mark: 'begins' | 'ends'
  guid: string
}

export function readNotes(journal: string): Note[] {
  const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [machine, mark, guid] = line.split(' ') as [string, Note['mark'], string]
    return { machine, mark, guid }
  })
}

/** GUIDs of the deliveries for which the handler has begun on a machine, and has not ended. */
export function unfinished(notes: readonly Note[], machine: string): string[] {
  const own = notes.filter((note) => note.machine === machine)
  const ended = new Set(own.filter(({ mark }) => mark === 'ends').map(({ guid }) => guid))
  return own.flatMap(({ mark, guid }) => (mark === 'begins' && !ended.has(guid) ? [guid] : []))
}

/** Prints the work of each machine. @returns The failures of the demo. */
export function report(
  stored: ReadonlyMap<string, number>,
  workers: readonly string[],
  notes: readonly Note[],
  details: readonly DeliveryDetail[],
): string[] {
  const attempts = new Map(details.map(({ guid, tasks }) => [guid, tasks.flatMap((task) => task.attempts)]))
  const guids = [...attempts.keys()]
  const interrupted = guids.filter((guid) => attempts.get(guid)?.some(({ outcome }) => outcome === 'cut off'))
  const endings = Map.groupBy(
    notes.filter(({ mark }) => mark === 'ends'),
    ({ guid }) => guid,
  )
  const twice = guids.filter((guid) => (endings.get(guid)?.length ?? 0) > 1)

  row('', 'stored', 'attempts', 'handled')
  for (const [receiver, count] of stored) row(receiver, count)
  for (const worker of workers) {
    const own = notes.filter(({ machine }) => machine === worker)
    const count = (mark: Note['mark']) => own.filter((note) => note.mark === mark).length
    row(worker, '', count('begins'), count('ends'))
  }
  const done = details.filter(({ state }) => state === 'done')
  console.log(
    `\n${done.length} of ${details.length} deliveries handled; ` +
      `${interrupted.length} were interrupted, and ${twice.length} of these handled twice`,
  )
  return [
    ...details.flatMap(({ guid, event, state }) => (state === 'done' ? [] : [`${event} ${guid} ended ${state}`])),
    ...twice.flatMap((guid) =>
      interrupted.includes(guid) ? [] : [`${guid} was handled twice without an interruption`],
    ),
  ]
}

function row(name: string, ...columns: (string | number)[]): void {
  console.log(`${name.padEnd(12)}${columns.map((column) => String(column).padStart(10)).join('')}`)
}
