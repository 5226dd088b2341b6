interface PageRequest {
  limit: number
  /** The member `next` of the page before. */
  cursor: string | undefined
}

interface Page<Entry> {
  entries: readonly Entry[]
  next?: string | undefined
}

/**
 * Reads the pages of a list until it ends, or until there are enough entries.
 * @param limit How many entries to read.
 * @param maxPage The maximum number of entries in a page.
 */
export async function readPages<Entry>(
  limit: number,
  maxPage: number,
  readPage: (request: PageRequest) => Promise<Page<Entry>>,
): Promise<Entry[]> {
  const found: Entry[] = []
  let cursor: string | undefined
  do {
    const { entries, next } = await readPage({ cursor, limit: Math.min(limit - found.length, maxPage) })
    found.push(...entries)
    cursor = next
  } while (cursor !== undefined && found.length < limit)
  return found
}
