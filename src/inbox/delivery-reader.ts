import type { Query } from './query/query.ts'
import type { TimeCountQuery, TimeCounts } from './query/time-counts.ts'
import type { ValueQuery } from './query/values.ts'
import type { Changes, DeliveryDetail, Failure, InboxOverview, Page } from './records.ts'

/** The queries of the dashboard, the API and the command line. */
export interface DeliveryReader {
  /** A page of deliveries, newest first. */
  list(query: Query): Promise<Page>
  /** Counts of deliveries by their time of receipt. One call may not count all of them: `next` continues. */
  timeCounts(query: TimeCountQuery): Promise<TimeCounts>
  /** Returns a delivery with its tasks and attempts, without its body. `undefined` if there is none. */
  get(id: number): Promise<DeliveryDetail | undefined>
  /**
   * The body as it is stored. If the delivery arrived as a request, these are the exact bytes that GitHub sent. If the
   * delivery is `pulled`, they are JSON with the payload from GitHub's API.
   */
  body(id: number): Promise<Uint8Array | undefined>
  /** Returns the state of the inbox as a whole. */
  overview(): Promise<InboxOverview>
  /**
   * The values of a column for suggestions, in alphabetical order. If the store has no index of the column, only the
   * values of the newest few thousand deliveries.
   */
  values(query: ValueQuery): Promise<string[]>
  /** The latest failed attempt of each handler among those of the stored deliveries, sorted by handler. */
  failures(): Promise<Failure[]>
  /**
   * Deliveries that any process has stored or changed since a position.
   * @param after The `position` of an earlier result. Default: returns no deliveries, only the position to start from.
   */
  changes(after?: string): Promise<Changes>
}
