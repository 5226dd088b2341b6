/** `node lambda-runtime.js <module> <event>`: calls the handler once. Prints the answer's status, and when it came. */
const [url, event] = process.argv.slice(2)
const { handler } = await import(url)
const { statusCode } = await handler(JSON.parse(event))
console.log(JSON.stringify({ status: statusCode, at: performance.timeOrigin + performance.now() }))
