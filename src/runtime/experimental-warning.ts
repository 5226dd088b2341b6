/**
 * Calls a function that uses a feature of Node.js, without the warning that the feature is experimental. Other warnings
 * stay, and so does this one where the application uses the feature itself.
 */
export function withoutExperimentalWarning<T>(use: () => T): T {
  const { emitWarning } = process
  process.emitWarning = (...args: unknown[]) => {
    if (args[1] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, args)
  }
  try {
    return use()
  } finally {
    process.emitWarning = emitWarning
  }
}
