/** What goes over /demo/ws, as docs/protocol/demo.md describes it. */

export interface Peer {
  readonly number?: string;
  readonly name?: string;
}

export type Sound = "silence" | "tone" | "voice";

export interface DemoPhone {
  readonly id: string;
  readonly kind: "mobile" | "desk";
  readonly name: string;
  readonly number: string;
  readonly via: string;
  readonly visitor?: boolean;
  readonly state: "offline" | "idle" | "calling" | "ringing" | "talking";
  readonly peer?: Peer;
  /** Unix milliseconds of the server's clock. */
  readonly since?: number;
  readonly last?: string;
  readonly sound: Sound;
  readonly yours: boolean;
}

export interface Lane {
  readonly id: string;
  readonly name: string;
}

export interface State {
  readonly type: "state";
  readonly now: number;
  readonly numbers: readonly { readonly number: string; readonly name: string; readonly rings: string }[];
  readonly callers: readonly { readonly number: string; readonly name: string }[];
  readonly phones: readonly DemoPhone[];
  readonly softphones: readonly { readonly user: string; readonly name: string; readonly url: string }[];
  readonly lanes: readonly Lane[];
}

export interface LadderEntry {
  readonly seq: number;
  readonly at: number;
  readonly call: string;
  readonly from: string;
  readonly to: string;
  readonly kind: "request" | "response" | "event";
  readonly label: string;
  readonly note: string;
}

export type ServerMessage =
  | State
  | { readonly type: "levels"; readonly hears: Readonly<Record<string, number>> }
  | { readonly type: "ladder"; readonly entries: readonly LadderEntry[] }
  | { readonly type: "error"; readonly command: string; readonly phone?: string; readonly message: string };

export type Command =
  | { readonly type: "call"; readonly phone: string; readonly to: string; readonly from?: string }
  | { readonly type: "answer" | "decline" | "hang_up"; readonly phone: string }
  | { readonly type: "sound"; readonly phone: string; readonly sound: Sound }
  | { readonly type: "digit"; readonly phone: string; readonly digit: string };

/** 20 ms of audio: 160 samples of 16 bits, 8,000 a second. */
export const frameSamples = 160;
