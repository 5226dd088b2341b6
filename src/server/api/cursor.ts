/** Cursors: where the next page of a list starts. Their form may change, so clients must not read or build them. */
import type { FailurePlace } from '../../inbox/failure-groups.ts'

/** The cursor of the deliveries with lower ids. */
export const cursorBefore = (id: number): string => Buffer.from(`before ${id}`).toString('base64url')

/** The id in a cursor of {@link cursorBefore}. `undefined` for another text. */
export function idIn(cursor: string): number | undefined {
  const [, digits] = /^before ([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** The cursor of the failure groups after a place. */
export const placeAfter = ({ lastAt, id }: FailurePlace): string =>
  Buffer.from(`after ${lastAt} ${id}`).toString('base64url')

/** The place in a cursor of {@link placeAfter}. `undefined` for another text. */
export function placeIn(cursor: string): FailurePlace | undefined {
  const [, lastAt, id] = /^after (\d{1,16}) (\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  return lastAt === undefined ? undefined : { lastAt: Number(lastAt), id: Number(id) }
}
