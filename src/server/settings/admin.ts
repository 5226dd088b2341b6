import { asPort, asText, asUrl, Expected, type SettingsOf } from '../setting.ts'

/** The listener for its operator. */
export interface AdminValues {
  adminPort: number
  adminHost: string
  adminUrl: string | undefined
  adminToken: string | undefined
  adminTokenFile: string | undefined
  readOnlyToken: string | undefined
  readOnlyTokenFile: string | undefined
}

export const adminSettings: SettingsOf<AdminValues> = {
  adminPort: {
    placeholder: '<port>',
    help: 'the port for you: API, metrics, health (8001)',
    fallback: 8001,
    parse: asPort,
  },
  adminHost: {
    placeholder: '<address>',
    help: 'the address for you (127.0.0.1)',
    fallback: '127.0.0.1',
    parse: asText,
  },
  adminUrl: {
    placeholder: '<url>',
    help: 'the address under which browsers reach it, if a proxy stands in front',
    fallback: undefined,
    parse: asUrl,
  },
  adminToken: {
    placeholder: '<token>',
    help: 'what lets you in; better in its variable, or in a file (made once and kept beside the database)',
    fallback: undefined,
    parse: asToken,
  },
  adminTokenFile: {
    placeholder: '<file>',
    help: 'the file that holds it',
    fallback: undefined,
    parse: asText,
  },
  readOnlyToken: {
    placeholder: '<token>',
    help: 'what lets in who may look and change nothing; better in its variable, or in a file (nobody)',
    fallback: undefined,
    parse: asToken,
  },
  readOnlyTokenFile: {
    placeholder: '<file>',
    help: 'the file that holds that token',
    fallback: undefined,
    parse: asText,
  },
}

/** The shortest that nobody guesses. */
const shortestToken = 16

function asToken(text: string): string {
  if (text.length >= shortestToken && /^[\x21-\x7e]+$/.test(text)) return text
  throw new Expected(`${shortestToken} characters or more, without white space`)
}
