/** All the ways in which a secret may be written, each as the bytes to look for. */
export function writingsOf(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const texts = [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams({ '': text }).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64Of(bytes),
  ]
  return [...new Set(texts)].map((one) => Buffer.from(one))
}

/** The writings of a signature: of its digits, and of the bytes that they stand for. */
export function writingsOfDigest(hex: string): Buffer[] {
  const bytes = Buffer.from(hex, 'hex')
  return [...writingsOf(hex), bytes, ...base64Of(bytes).map((text) => Buffer.from(text))]
}

/** In a longer text, base64 has one of three forms, by where it begins; what depends on the neighbours is left out. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const text = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
