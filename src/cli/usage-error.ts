/** What was asked for cannot be understood: ends with 2. */
export class UsageError extends Error {}
