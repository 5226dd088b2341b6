/** That of package.json, to which a test holds it: this file also runs where no file can be read. */
export const version = '0.1.0'
