import { summarizePayload } from '../../inbox/worker/payload.ts'
import { samples } from '../../samples/index.ts'
import { eventName, jsonLine, printable, printLines, terminalWidth } from '../output.ts'
import { type Column, Table } from '../table.ts'
import { chooseSamples, isAll } from './requests.ts'

/**
 * Prints the samples of a name with their numbers. Without a name, prints all names, and how many samples each has.
 * @throws {UsageError} if the name has no sample.
 */
export async function listSamples(name: string | undefined, json: boolean | undefined): Promise<void> {
  if (name === undefined || isAll(name)) {
    const counts = Map.groupBy(samples(), eventName)
    const rows = [...counts].map(([event, { length }]) => ({ event, samples: length }))
    return print(rows, json, [{ title: 'EVENT' }, { title: 'SAMPLES' }])
  }
  const rows = chooseSamples(name).map(({ payload, ...of }, index) => {
    const { repository, number, ref, title } = summarizePayload(payload)
    return { sample: index + 1, event: eventName(of), repository, number, ref, title }
  })
  await print(rows, json, sampleColumns)
}

const sampleColumns: readonly Column[] = [
  { title: 'SAMPLE' },
  { title: 'EVENT' },
  { title: 'REPOSITORY', minWidth: 10 },
  { title: 'NUMBER' },
  { title: 'REF', minWidth: 10 },
  { title: 'TITLE', minWidth: 10 },
]

async function print(rows: readonly object[], json: boolean | undefined, columns: readonly Column[]): Promise<void> {
  if (json) return void (await printLines(rows.map(jsonLine)))
  const cells = rows.map((row) => Object.values(row).map((value) => printable(String(value ?? ''))))
  await printLines(new Table(columns, terminalWidth()).lines(cells))
}
