/**
 * A name that may continue on the next line after an underscore, a period or a slash, or before a bracket, as in
 * `dependabot[bot]`. Browsers do not break there.
 */
export function Breakable({ text }: { text: string }) {
  return (
    <>
      {text.split(/(?<=[_./])|(?=\[)/).map((part, index) => (
        <>
          {index > 0 && <wbr />}
          {part}
        </>
      ))}
    </>
  )
}
