import { fetch } from './published.ts'

declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: unknown,
  ): unknown
}

const onListen = ({ port }: { port: number }) => console.log(`listening on ${port}`)
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, fetch)
