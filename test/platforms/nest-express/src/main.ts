import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/express'
import { AppModule, CommitCounter } from './app.module.js'

const app = await NestFactory.create(AppModule)
const counter = app.get(CommitCounter)

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => counter.describe(commits))

app.use(hookserver(hooks)) // before listen(), which adds the body parsers
await app.listen(process.env.PORT ?? 3000, '127.0.0.1')
