// The public surface of @vonage/client-sdk 2 for pages that were written for it.
// It is our own SDK underneath and has none of theirs in it.

export { VonageClient, VonageClient as default } from "./client.ts";
export { ClientConfig, ClientInitConfig } from "./config.ts";
export { CancelReason, ConfigRegion, HangupReason, LegStatus, LoggingLevel, SessionErrorReason, VonageError, VonageErrorType } from "./names.ts";
export type { ConfigObject } from "./config.ts";
export type { ChannelType, ClientEvents, RTCQuality } from "./names.ts";
export type { Leg, SayParams } from "./client.ts";
export type { User } from "./rest.ts";
