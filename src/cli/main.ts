#!/usr/bin/env node
import { CommanderError } from 'commander'
import { ConfigError } from '../server/config/resolve-config.ts'
import { UsageError } from './flags.ts'
import { printable } from './output.ts'
import { createProgram } from './program.ts'

const exitCodes = { failed: 1, usage: 2 } as const

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error as Error)
}

/** Prints an error, unless commander has printed it. @returns The exit code. */
function exitCodeOf(error: Error): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  for (const line of error.message.split('\n')) console.error(`hookserver: ${printable(line)}`)
  return error instanceof UsageError || error instanceof ConfigError ? exitCodes.usage : exitCodes.failed
}
