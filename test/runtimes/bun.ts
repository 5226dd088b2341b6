import { fetch } from './published.ts'

declare const Bun: { serve(options: { port: number; hostname: string; fetch: unknown }): { port: number } }

const { port } = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
console.log(`listening on ${port}`)
