/** The program of both threads of the SQLite inbox. */
import { workerData } from 'node:worker_threads'
import { serveThread } from '../runtime/thread-server.ts'
import { createServer } from './thread-roles.ts'

serveThread<unknown>(createServer(workerData))
