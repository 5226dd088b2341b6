export function Handlers() {
  return <h1>Handlers</h1>
}
