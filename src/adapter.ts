/** `hookserver/adapter`: the types of an adapter, for a framework that has none. */
export type { Mountable, MountTraits } from './adapters/mount.ts'
export type {
  Body,
  BodyInChunks,
  BodyInOneCall,
  CompleteBody,
  ConsumedBody,
  CreateHmac,
  HashName,
  Hmac,
  HookRequest,
  OnChunk,
  RangesStatus,
  ReadBody,
  Receiver,
  ReceiverStatus,
} from './http.ts'
