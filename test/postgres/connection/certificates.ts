/** Generates certificate authorities for one test, and the certificates that they sign. */
import { generate } from 'selfsigned'

/** A key and a certificate in PEM. */
export interface Certified {
  cert: string
  key: string
}

export function makeAuthority(name: string): Promise<Certified> {
  return certify(name, {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
}

/** Creates a certificate for a server or a client. */
export function certifyBy(ca: Certified, name: string): Promise<Certified> {
  return certify(name, { ca, extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }] })
}

async function certify(name: string, options: Parameters<typeof generate>[1]): Promise<Certified> {
  const usual = { keyType: 'ec', algorithm: 'sha256' } as const
  const made = await generate([{ name: 'commonName', value: name }], { ...usual, ...options })
  return { cert: made.cert, key: made.private }
}
