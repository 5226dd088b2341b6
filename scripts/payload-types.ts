import { readFileSync } from 'node:fs'
import type { Plugin } from 'rolldown'

/**
 * A plugin for Rolldown. Bundles the types of GitHub's payloads in a shorter form: the package
 * `@octokit/openapi-webhooks-types` has 2.9 MB, so it would be most of an installation.
 */
export const payloadTypes: Plugin = {
  name: 'payload-types',
  load: {
    filter: { id: /[\\/]@octokit[\\/]openapi-webhooks-types[\\/]types\.d\.ts$/ },
    handler: (file) => shortened(readFileSync(file, 'utf8')),
  },
}

/**
 * The same types without repetition. Leaves out the comments, headers and responses of operations, and comments that only
 * repeat a type or give an example. The text is generated, so each object starts and ends with a line of its own.
 */
export function shortened(description: string): string {
  const [helpers = '', , schemas = '', operations = ''] = description.split(
    /^(?=export interface (?:webhooks|components|operations) )/m,
  )
  const payloads = operations.replace(/^ {4}(?:parameters|responses): \{\n.*?^ {4}\};\n/gms, '')
  return helpers + shareObjects(schemas.replace(comment, shortComment)) + payloads.replace(comment, '')
}

const comment = /^ *\/\*\*(.*?)\*\/\n/gms

function shortComment(_comment: string, text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^ *\*/, '').trim())
    .filter((line) => !/^$|^@(?:enum|example|default)\b|^Format: /.test(line))
  return lines.length > 0 ? `/** ${lines.join('\n * ').replace(/^@description /, '')} */\n` : ''
}

/** Objects with fewer characters stay where they are: a reference takes about 40. */
const minLength = 100

/** Gives each object that occurs several times a name in `schemas`, and refers to it by this name. */
function shareObjects(schemas: string): string {
  const lines = schemas.split('\n')
  const blocks = blocksOf(lines)
  const occurrences = Map.groupBy(blocks.values(), ({ text }) => text)
  const names = new Map<string, string>()
  const added: string[] = []

  function write(from: number, to: number): string[] {
    const written: string[] = []
    for (let at = from; at < to; at++) {
      const block = blocks.get(at)
      if (block === undefined || occurrences.get(block.text)?.length === 1) {
        written.push(lines[at] ?? '')
        continue
      }
      const { text, end } = block
      const name = names.get(text) ?? `shared-${names.size + 1}`
      if (!names.has(text)) {
        names.set(text, name)
        added.push(`    "${name}": {`, ...write(at + 1, end), '    };')
      }
      written.push(`${lines[at]?.slice(0, -1)}components["schemas"]["${name}"]${lines[end]?.trim().slice(1)}`)
      at = end
    }
    return written
  }
  return write(0, lines.length)
    .join('\n')
    .replace(/^ {2}schemas: \{$/m, `$&\n${added.join('\n')}`)
}

interface Block {
  /** The lines between the braces, without indentation. */
  text: string
  /** The index of the line with the closing brace. */
  end: number
}

/** The objects within the schemas, by the index of the line with the opening brace. */
function blocksOf(lines: readonly string[]): Map<number, Block> {
  const open: number[] = []
  const found = new Map<number, Block>()
  for (const [index, line] of lines.entries()) {
    if (/^ *\}/.test(line)) {
      const start = open.pop() ?? 0
      const text = lines
        .slice(start + 1, index)
        .map((inner) => inner.trim())
        .join('\n')
      // A schema has a name already. `} & {` ends an object and starts another.
      const isMember = open.length > 2 && !line.endsWith('{') && !/^ *\}/.test(lines[start] ?? '')
      if (isMember && text.length >= minLength) found.set(start, { text, end: index })
    }
    if (line.endsWith('{')) open.push(index)
  }
  return found
}
