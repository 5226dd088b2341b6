/**
 * Reads configuration files of repositories, for `delivery.config()` and `context.config()`. Anyone can write such a file
 * in a repository of their own, and install a public App there.
 */
import type { Document } from 'yaml'
import { responseStart, withBody } from './untrusted-text.ts'

/** In UTF-16 code units. The parser takes a second for some texts of this length. */
export const maxConfigLength: number = 64 * 1024

type Fetch = typeof globalThis.fetch

/**
 * The option `request` of a request for a file. Reads no more of the file than shows that it is too long: GitHub sends
 * files of up to 100 MB.
 */
export function configRequest({ request }: { request: unknown }): { fetch: Fetch } {
  const { endpoint } = request as { endpoint?: { DEFAULTS?: { request?: { fetch?: Fetch } } } }
  return {
    fetch: async (...given) => {
      const response = await (endpoint?.DEFAULTS?.request?.fetch ?? globalThis.fetch)(...given)
      return response.body ? withBody(response, await responseStart(response, maxConfigLength)) : response
    },
  }
}

interface ParsedYaml {
  document: Document
  /** The line of an offset, from 1. */
  lineAt(offset: number): number
}

/**
 * Parses YAML, as `parseDocument()` does. The parser itself compares each key of an object with all others, which takes
 * seconds for the keys of one file.
 */
export function parseYaml(yaml: typeof import('yaml'), text: string): ParsedYaml {
  const lineCounter = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
  const offset = document.errors.length > 0 ? undefined : repeatedKey(yaml, document)
  if (offset !== undefined) {
    document.errors.push(new yaml.YAMLParseError([offset, offset + 1], 'DUPLICATE_KEY', 'Map keys must be unique'))
  }
  return { document, lineAt: (at) => lineCounter.linePos(at).line }
}

/** The offset of the first key that its object has before. */
function repeatedKey({ isMap, isScalar, isSeq }: typeof import('yaml'), { contents }: Document): number | undefined {
  const offsets: number[] = []
  const nodes: unknown[] = [contents]
  for (const node of nodes) {
    if (isSeq(node)) nodes.push(...node.items)
    if (!isMap(node)) continue
    const keys = new Set<unknown>()
    for (const { key, value } of node.items) {
      if (isScalar(key) && keys.has(key.value)) offsets.push(key.range?.[0] ?? 0)
      if (isScalar(key)) keys.add(key.value)
      nodes.push(key, value)
    }
  }
  return offsets.length > 0 ? Math.min(...offsets) : undefined
}
