/** The inbox on Postgres, with what it needs; loaded for those who have one, and for nobody else. @throws {Error} if that is missing. */
export async function loadPostgres(): Promise<typeof import('../postgres/index.ts')> {
  try {
    return await import('../postgres/index.ts')
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    const text = 'An inbox on Postgres needs the packages "pg" and "pg-boss" beside hookserver: npm install pg pg-boss'
    throw new Error(text, { cause })
  }
}
