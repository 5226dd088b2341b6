/**
 * The files in the executable. Asset `contents` lists them, as JSON. Asset `files` has their bytes in the same order,
 * compressed with Zstandard.
 */
export interface Contents {
  /** The version of hookserver, and a hash of all files. The name of the folder that the files are unpacked to. */
  name: string
  files: readonly ContentFile[]
}

export interface ContentFile {
  /** Relative to the folder, with `/`. */
  path: string
  size: number
}

/** The file that runs the command line. */
export const mainFile = 'node_modules/hookserver/dist/cli/main.js'
