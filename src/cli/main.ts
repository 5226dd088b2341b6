#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes, reportError } from './errors.ts'
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage
  else process.exitCode = reportError(error as Error)
}
