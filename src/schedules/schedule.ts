/** The event and the source of the deliveries that schedules make. */
export const scheduleEvent = 'schedule'

/** The name of the handler that makes a delivery for each installation or repository. */
export const eachHandlerName = (name: string): string => `${name}:each`

/** The targets of a schedule: it makes a delivery for each of them. */
export type ScheduleEach = 'installation' | 'repository'

/** The times of a schedule. An interval has its times at the multiples of its milliseconds since 1970. */
export type ScheduleRule = { readonly cron: string; readonly timezone: string } | { readonly every: number }

/** A registered schedule. */
export interface Schedule {
  /** The name of its handler, and the `action` of its deliveries. */
  readonly name: string
  /** Computes its times. */
  readonly rule: ScheduleRule
  /** The time as it is displayed: `0 3 * * *` or `every 10m`. */
  readonly time: string
  /** The time zone of a cron text, such as `Europe/Berlin`. `undefined` for an interval. */
  readonly timezone: string | undefined
  /** Makes a delivery for each installation or repository of the App. `undefined`: one delivery. */
  readonly each: ScheduleEach | undefined
  /** If times pass while no worker runs: `latest` makes a delivery for the latest of them, `skip` makes none. */
  readonly missed: 'latest' | 'skip'
}

/** The installation that a scheduled delivery is for. */
export interface ScheduledInstallation {
  id: number
  /** An organization or a user has a `login`, an enterprise a `slug`. */
  account: { login?: string; slug?: string } | null
}

/** The repository that a scheduled delivery is for: some members of GitHub's description. */
export interface ScheduledRepository {
  id: number
  name: string
  full_name: string
  owner: { login: string }
  private: boolean
  default_branch: string
}

/** The payload of the event `schedule`. Not an interface, so that it is also a `Record<string, unknown>`. */
export type SchedulePayload<Name extends string = string> = {
  /** The name of the schedule. */
  action: Name
  /** The time of the schedule that the delivery is for, such as `2026-03-29T01:00:00.000Z`. */
  time: string
  /** With `each`. */
  installation?: ScheduledInstallation
  /** With `each: 'repository'`. */
  repository?: ScheduledRepository
}
