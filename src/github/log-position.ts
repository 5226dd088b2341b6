/**
 * How far a log of deliveries has been read. Recovery and polling use the same rules.
 *
 * An attempt may appear late in GitHub's log: minutes late by its documentation, and 40 to 71 minutes late in incidents
 * of 2024 and 2026. So each read begins `settlingTime` before the newest attempt that was read. Once an hour, a read
 * begins `recentTime` ago. Once a day, it covers everything that GitHub keeps.
 */

import { parseObject } from '../runtime/json.ts'
import { day, hour, minute } from '../runtime/units.ts'

/** All times are GitHub's, in milliseconds since 1970. */
export interface LogPosition {
  /** The time of the newest attempt that was read. */
  at: number
  /** When the latest read of the last `recentTime` began. */
  recentAt: number
  /** When the latest read of everything began. */
  fullAt: number
}

/** A part of the log to read, and the position once it has been read. */
export interface LogRange {
  /** The time at which the part begins. */
  from: number
  /** Whether this is the hourly or the daily read, which reads parts of the log again. */
  isRepeated: boolean
  /**
   * The position after the read.
   * @param newest The time of the newest attempt, if there was one.
   * @param isBroken Whether the log ended too early: after an hour, the next read covers everything again.
   */
  next(newest: number | undefined, isBroken?: boolean): LogPosition
}

/**
 * How late an attempt may appear in the log and still be found by the next read, in milliseconds from the start of the
 * attempt. GitHub lists an attempt only when the attempt has ended.
 */
export const settlingTime: number = 5 * minute

/**
 * How far back a read reaches once an hour, in milliseconds. It finds every attempt that appears up to 71 minutes late,
 * even if two reads are 49 minutes apart.
 */
const recentTime: number = 3 * hour

/**
 * The part of the log to read next.
 * @param now GitHub's time.
 * @param earliest Attempts before this time are never read.
 * @param isFull Whether to read everything, even if it was read less than a day ago.
 */
export function nextRange(position: LogPosition, now: number, earliest: number, isFull = false): LogRange {
  const full = isFull || isOver(position.fullAt, day, now)
  const recent = full || isOver(position.recentAt, hour, now)
  const at = Math.min(position.at, now) // an earlier version may have stored a time in the future
  const begin = Math.min(at - settlingTime, recent ? now - recentTime : at)
  return {
    from: full ? earliest : Math.max(begin, earliest),
    isRepeated: recent,
    next: (newest = at, isBroken = false) => ({
      at: Math.max(at, Math.min(newest, now)),
      recentAt: recent ? now : position.recentAt,
      fullAt: isBroken ? now - day + hour : full ? now : position.fullAt,
    }),
  }
}

/** Whether at least `ms` milliseconds have passed since a time, or whether the time is in the future. */
const isOver = (since: number, ms: number, now: number): boolean => now - since >= ms || since > now

/** Parses a position in the key-value table. An earlier version stored only the time `at`, as a number. */
export function parsePosition(text: string | undefined): LogPosition {
  const stored = text === undefined ? undefined : parseObject(text)
  const at = stored ? stored.at : Number(text ?? 0)
  return { at: timeIn(at), recentAt: timeIn(stored?.recentAt), fullAt: timeIn(stored?.fullAt) }
}

const timeIn = (value: unknown): number => (Number.isFinite(value) ? (value as number) : 0)
