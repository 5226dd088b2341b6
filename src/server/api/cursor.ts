/** Cursors: where the next page of a list starts. Their form may change, so clients must not read or build them. */

/** The cursor of the deliveries with lower ids. */
export const cursorBefore = (id: number): string => Buffer.from(`before ${id}`).toString('base64url')

/** The id in a cursor of {@link cursorBefore}. `undefined` for another text. */
export function idIn(cursor: string): number | undefined {
  const [, digits] = /^before ([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  return digits === undefined ? undefined : Number(digits)
}
