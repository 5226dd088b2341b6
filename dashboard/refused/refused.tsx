export function Refused() {
  return <h1>Refused</h1>
}
