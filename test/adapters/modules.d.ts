declare module 'express4' {
  import express from 'express'
  export default express
}

declare module 'koa2' {
  export { default } from 'koa'
}
