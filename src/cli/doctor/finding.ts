/** What was looked at, and how it is. */
export interface Finding {
  what: string
  state: 'fine' | 'doubtful' | 'failed'
  found: string
  /** What to do about it. */
  cure?: string | undefined
}
