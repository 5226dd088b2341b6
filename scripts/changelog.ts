interface NotesOptions {
  /** The text of CHANGELOG.md. */
  changelog: string
  /** The version in package.json. */
  version: string
  /** The tag of the release. */
  tag: string
  /** The address of the repository. */
  address: string
}

/**
 * The section of the version, without its heading. Links to files of the repository become links to the files at the tag,
 * because the page of a release is in no folder.
 * @throws {Error} if the tag and the version differ, or if the changelog has no section for the version.
 */
export function releaseNotes({ changelog, version, tag, address }: NotesOptions): string {
  if (tag !== `v${version}`) {
    throw new Error(`package.json has version ${version}, so the tag must be v${version}, not "${tag}".`)
  }
  const section = changelog.split(/^## /m).find((text) => text.split(/[\s,]/)[0] === version)
  if (section === undefined) {
    throw new Error(`CHANGELOG.md has no section "## ${version}". Rename "## Unreleased" before you create the tag.`)
  }
  const notes = section.slice(section.indexOf('\n')).trim()
  return notes.replaceAll(/\]\((?![a-z]+:|#)([^)]+)\)/g, `](${address}/blob/${tag}/$1)`)
}
