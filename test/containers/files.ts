import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const root = join(import.meta.dirname, '../..')
export const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The documents of a YAML file. */
export function readYaml<Document>(file: string): Document[] {
  return parseAllDocuments(read(file), { merge: true }).map((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0]
    return document.toJS() as Document
  })
}

/** A time such as `40s`, in milliseconds. */
export const inMilliseconds = (time: string): number => Number(/^(\d+)s$/.exec(time)?.[1]) * 1000
