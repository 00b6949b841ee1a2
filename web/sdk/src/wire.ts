// The messages of docs/protocol/ws.md.

import type { CustomData, Party } from "./types.ts";

/** The version of the protocol that this SDK speaks. */
export const protocolVersion = 1;

/** Close codes, section 9. */
export const closeCode = {
  logout: 1000,
  refused: 4401,
  takenOver: 4409,
  ended: 4410,
  /** Ours, for a socket that answers no ping; any code but 1000 leaves the device alive. */
  dead: 4000,
} as const;

/** Requests after login; the session adds the id. */
export type Request =
  | { readonly type: "ringing"; readonly leg: string }
  | { readonly type: "accept"; readonly leg: string; readonly path?: string }
  | { readonly type: "decline"; readonly leg: string }
  | { readonly type: "hangup"; readonly leg: string }
  | { readonly type: "mute"; readonly leg: string; readonly muted: boolean }
  | { readonly type: "digit"; readonly leg: string; readonly digit: string }
  | { readonly type: "call"; readonly to: string; readonly custom?: CustomData; readonly path?: string }
  | { readonly type: "media"; readonly path: string; readonly sdp?: string; readonly leg?: string }
  | { readonly type: "release"; readonly path: string }
  | { readonly type: "label"; readonly label: string }
  | { readonly type: "ping" }
  | { readonly type: "logout" };

export interface Reply {
  readonly type: "reply";
  readonly id: string;
  readonly leg?: string;
  readonly path?: string;
  readonly sdp?: string;
}

export interface Failure {
  readonly type: "error";
  readonly id?: string;
  readonly kind: string;
  readonly message: string;
}

/** One leg of this device. */
export interface WireCall {
  readonly leg: string;
  /** What the application calls the leg; absent if that is `leg`. */
  readonly as?: string;
  readonly direction: "incoming" | "outgoing";
  readonly request?: string;
  readonly state: "calling" | "ringing" | "connecting" | "active";
  /** How long it has been active; absent for 0. */
  readonly active_seconds?: number;
  readonly from: Party;
  readonly to: Party;
  readonly early?: boolean;
  readonly muted?: boolean;
  readonly path?: string;
}

/** A terminal event. */
export interface WireEnd {
  readonly type: "ended" | "handled";
  readonly leg: string;
  readonly request?: string;
  readonly cause: number;
  readonly reason: string;
}

export interface WirePath {
  readonly path: string;
  readonly state: "up" | "down" | "closed";
  readonly leg?: string;
}

export interface Hello {
  readonly type: "hello";
  readonly id: string;
  readonly version: string;
  readonly user: Party;
  readonly device: string;
  readonly resume: string;
  readonly resumed: boolean;
  readonly calls: readonly WireCall[];
  readonly ended: readonly WireEnd[];
  readonly paths: readonly WirePath[];
  readonly ice_servers: readonly RTCIceServer[];
  readonly limits: { readonly ping_seconds: number };
}

/** Events after login. */
export type ServerEvent =
  | { readonly type: "incoming"; readonly call: WireCall }
  | { readonly type: "ringing"; readonly leg: string; readonly early: boolean }
  | { readonly type: "answered"; readonly leg: string }
  | { readonly type: "up"; readonly leg: string }
  | { readonly type: "moved"; readonly leg: string; readonly call: string }
  | { readonly type: "silenced"; readonly leg: string; readonly deaf: boolean; readonly on: boolean }
  | ({ readonly type: "path" } & WirePath)
  | { readonly type: "ice_servers"; readonly ice_servers: readonly RTCIceServer[] }
  | WireEnd;

export type ServerMessage = Reply | Failure | Hello | ServerEvent;

const known: ReadonlySet<string> = new Set<ServerMessage["type"]>([
  "reply",
  "error",
  "hello",
  "incoming",
  "ringing",
  "answered",
  "up",
  "moved",
  "silenced",
  "path",
  "ice_servers",
  "ended",
  "handled",
]);

/** Reads one frame. Undefined for what this version does not know, which is to be ignored. */
export function parseMessage(text: string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isMessage(value) ? value : undefined;
}

// The server is trusted to send the fields of the types it names.
function isMessage(value: unknown): value is ServerMessage {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && known.has(value.type);
}
