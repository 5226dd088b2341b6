/** The conclusions of a check run. */
export type CheckConclusion =
  | 'success'
  | 'failure'
  | 'neutral'
  | 'cancelled'
  | 'skipped'
  | 'timed_out'
  | 'action_required'

/** The text of a check run. `summary` and `text` are Markdown. */
export interface CheckOutput {
  title?: string | undefined
  summary?: string | undefined
  text?: string | undefined
}

/** A note at some lines of a file, with the members of GitHub's API. hookserver truncates texts that are too long. */
export interface CheckAnnotation {
  path: string
  start_line: number
  end_line: number
  annotation_level: 'notice' | 'warning' | 'failure'
  message: string
  title?: string | undefined
  raw_details?: string | undefined
  /** GitHub shows columns in one line only, so hookserver leaves them out if there are several lines. */
  start_column?: number | undefined
  end_column?: number | undefined
}

/** The result of a check: its conclusion, and its text. */
export interface CheckResult extends CheckOutput {
  /** Default: `failure` if an annotation has the level `failure`, else `success`. */
  conclusion?: CheckConclusion | undefined
}

/** The check run, for the function that does the work. */
export interface CheckRun {
  /** GitHub's id of the check run. */
  readonly id: number
  /** The commit that the run is for. */
  readonly headSha: string
  /** Aborts with `delivery.signal`, and when this process starts the check for a newer head of the pull request. */
  readonly signal: AbortSignal
  /** Shows the progress. */
  update(output: CheckOutput): Promise<void>
  /** Adds annotations. hookserver sends them with the conclusion, 50 in each request. */
  annotate(...annotations: readonly CheckAnnotation[]): void
}

/** A check, and the commit that it is for. */
export interface CheckOptions {
  /** The name of the check, which the branch protection of a repository can require. */
  name: string
  /** Default: the head of the pull request, the check, the workflow run or the push in the payload. */
  headSha?: string | undefined
  /** The page of the check in your application. Default: GitHub's page of the run. */
  detailsUrl?: string | undefined
}

/**
 * Does the work of a check. Only an async function, because TypeScript does not take `async () => 'success'` for a function
 * that may also return without a promise.
 */
export type CheckWork = (check: CheckRun) => Promise<CheckConclusion | CheckResult | void>
