import { application } from './application.ts'

declare const Bun: {
  serve(options: { port: number; hostname: string; fetch: unknown; idleTimeout?: number }): { port: number }
}

const { port } = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: application() })
console.log(`listening on ${port}`)
