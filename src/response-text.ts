/**
 * The text of an answer of another server, which decides how long it is: one without an end would take all memory.
 * Counted are the bytes after decompression.
 * @throws {Error} if there are more than `maxBytes`.
 */
export async function responseText(response: Response, maxBytes: number): Promise<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let left = maxBytes; reader; ) {
    const { done, value } = await reader.read()
    if (done) break
    left -= value.byteLength
    if (left < 0) {
      await reader.cancel()
      throw new Error(`The answer is larger than ${maxBytes / 1024 / 1024} MiB`)
    }
    text += decoder.decode(value, { stream: true })
  }
  return text + decoder.decode()
}
