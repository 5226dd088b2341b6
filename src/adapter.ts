/** `hookserver/adapter`: the types and the error of an adapter, for a framework that has none. */
export type { Mountable, MountTraits } from './adapters/mount.ts'
export { HookError } from './errors.ts'
export type {
  Body,
  BodyInChunks,
  BodyInOneCall,
  CompleteBody,
  ConsumedBody,
  CreateHmac,
  HashName,
  Hmac,
  HookReply,
  HookRequest,
  OnChunk,
  PlainReply,
  RangesStatus,
  ReadBody,
  Receiver,
  ReceiverStatus,
} from './http.ts'
export type { MountOptions } from './options.ts'
