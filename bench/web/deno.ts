/** `deno run bench/web/deno.ts <module>`: serves the `fetch` of the module's default export. */
declare const Deno: {
  args: string[]
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: unknown,
  ): unknown
}

const { default: handler } = await import(Deno.args[0] as string)
const onListen = ({ port }: { port: number }) => console.log(`listening on ${port}`)
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, handler.fetch)
