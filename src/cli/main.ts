#!/usr/bin/env node
import { CommanderError } from 'commander'
import { UsageError } from './errors.ts'
import { printable } from './printing.ts'
import { createProgram } from './program.ts'

const exitCodes = { failed: 1, usage: 2 }

try {
  await createProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage
  else {
    for (const line of (error as Error).message.split('\n')) console.error(`hookserver: ${printable(line)}`)
    process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.failed
  }
}
