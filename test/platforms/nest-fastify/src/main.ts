import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Hooks } from 'hookserver'
import { hookserver } from 'hookserver/fastify'
import { AppModule, CommitCounter } from './app.module.js'

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
const counter = app.get(CommitCounter)

const hooks = new Hooks({
  ranges: process.env.HOOK_RANGES?.split(','), // HOOK_RANGES=127.0.0.1 to try it; the default is GitHub's addresses
})
hooks.hook('ping', () => 'pong')
hooks.hook('push', ({ commits }) => counter.describe(commits))

await app.register(hookserver, { hooks })
await app.listen(process.env.PORT ?? 3000, '127.0.0.1')
