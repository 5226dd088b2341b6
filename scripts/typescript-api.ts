/**
 * TypeScript 5.6 with its JavaScript API, which version 7 does not have. It comes with a package that needs the same
 * version. As a dependency of our own, it would replace the command `tsc` of version 7 in `node_modules/.bin`.
 */
export { default as ts } from '../node_modules/@arethetypeswrong/core/node_modules/typescript/lib/typescript.js'
