/** Parses the text of a configuration file, and finds the lines of its values. */
import type { Document } from 'yaml'
import { maxConfigLength, parseYaml } from '../runtime/config-file.ts'
import { isObject, type Json } from '../runtime/json.ts'
import { isMissingPackage } from '../runtime/platform.ts'

type Yaml = typeof import('yaml')

/** A configuration file. */
export interface ConfigText {
  readonly value: Json
  /** The line of a value, from 1. If the value is missing, that of the innermost value around it, if any. */
  lineOf(path: readonly PropertyKey[]): number | undefined
}

/** A problem of the text. */
export class ConfigTextError extends Error {
  readonly line: number | undefined

  constructor(message: string, line: number | undefined) {
    super(message)
    this.line = line
  }
}

/**
 * Parses YAML 1.2 or, if the file is `.json`, JSON. An empty YAML file is an empty object.
 * @throws {ConfigTextError} if the text is invalid, too long, or no object. {Error} if the package `yaml` is not installed.
 */
export async function parseConfig(path: string, text: string): Promise<ConfigText> {
  if (text.length > maxConfigLength) {
    throw new ConfigTextError(`must have at most ${maxConfigLength} characters`, undefined)
  }
  if (path.endsWith('.json')) checkJson(text)
  const yaml = await loadYaml()
  // Valid JSON is valid YAML, so one parser finds the lines in both.
  const { document, lineAt } = parseYaml(yaml, text)
  const [error] = document.errors
  if (error) throw new ConfigTextError(error.message, lineAt(error.pos[0]))
  const value = toValue(document) ?? {}
  if (!isObject(value)) throw new ConfigTextError('must be an object with names and values', 1)
  const lineOf = (names: readonly PropertyKey[]) => {
    const offset = offsetOf(yaml, document.contents, names)
    return offset === undefined ? undefined : lineAt(offset)
  }
  return { value, lineOf }
}

/** Loads the optional package `yaml`. @throws {Error} if it is not installed. */
async function loadYaml(): Promise<Yaml> {
  try {
    return await import('yaml') // in a `try`, so that bundlers accept that it may be missing
  } catch (cause) {
    if (!isMissingPackage(cause)) throw cause
    throw new Error('delivery.config() needs the package "yaml" beside hookserver: npm install yaml', { cause })
  }
}

function checkJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const [, position] = /at position (\d+)/.exec(message) ?? []
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length
    throw new ConfigTextError(message, line)
  }
}

/** Limits aliases, because a few of them can stand for gigabytes. */
function toValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new ConfigTextError((error as Error).message, undefined)
  }
}

function offsetOf(
  { isMap, isScalar, isSeq }: Yaml,
  contents: unknown,
  names: readonly PropertyKey[],
): number | undefined {
  let [node, offset] = [contents, undefined as number | undefined]
  for (const name of names) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(name))
      if (!isScalar(pair?.key)) break
      ;[node, offset] = [pair.value, pair.key.range?.[0] ?? offset]
    } else if (isSeq(node)) {
      node = node.items[Number(name)]
      offset = (node as { range?: [number] } | undefined)?.range?.[0] ?? offset
    } else break
  }
  return offset
}
