/** Sends its arguments to the program that has started it. Prints them if it was started without a channel. */
import { parentPort } from 'node:worker_threads'

const answer: string = process.argv.slice(2).join(' ')
if (parentPort) parentPort.postMessage(answer)
else if (process.send) process.send(answer, () => process.disconnect())
else console.log(answer)
