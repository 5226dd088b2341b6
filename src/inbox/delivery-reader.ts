import type { Failure } from './attempt-stats.ts'
import type { Count, CountQuery } from './counts.ts'
import type { Query } from './query/query.ts'
import type { ValueQuery } from './query/values.ts'
import type { Changes, DeliveryDetail, InboxOverview, Page, Rejections } from './records.ts'

/** The queries of the dashboard, the API and the command line. */
export interface DeliveryReader {
  /** A page of deliveries, newest first. */
  list(query: Query): Promise<Page>
  get(id: number): Promise<DeliveryDetail | undefined>
  /** The exact bytes that GitHub sent. */
  body(id: number): Promise<Uint8Array | undefined>
  overview(): Promise<InboxOverview>
  /**
   * The values of a column in alphabetical order: all of them if the store has the column in an index, else those of the
   * newest few thousand deliveries.
   */
  values(query: ValueQuery): Promise<string[]>
  /** The last failure of each handler among the attempts of the newest few thousand deliveries. */
  failures(): Promise<Failure[]>
  /**
   * Deliveries that any process has stored or changed since a position.
   * @param after The `position` of an earlier answer. Default: returns no deliveries, only the position to start from.
   */
  changes(after?: string): Promise<Changes>
  /** The newest rejected requests, and how many there were by code. */
  rejections(): Promise<Rejections>
  /** Sums of counts by step, without the steps in which nothing happened. */
  counts(query: CountQuery): Promise<Count[]>
}
