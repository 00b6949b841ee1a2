// The public entry of the SDK.

export { createPhone } from "./phone.ts";
export type * from "./types.ts";
export type { OpenTransport, Transport, TransportEvents } from "./transport.ts";
export type { MediaDriver, MediaDriverEvents, MediaPath, MediaPathEvents } from "./media/driver.ts";
