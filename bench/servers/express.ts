import { createServer, type Server } from 'node:http'
import express from 'express'
import { hookserver } from 'hookserver/express'
import type { Bench } from '../delivery.ts'
import { hooksFor } from './hooks.ts'

export default (bench: Bench): Server => createServer(express().use(hookserver(hooksFor(bench))))
