// What the SDK needs from microphone, speaker and RTCPeerConnection, behind
// interfaces so that tests need neither. media/browser.ts implements them.

import type { AudioDevices, CallStats, LevelSide } from "../types.ts";

/** What a path reports. */
export interface MediaPathEvents {
  /** The connection to the server is up, or up again. */
  up(): void;
  /** It was interrupted; an ICE restart is needed. */
  interrupted(): void;
}

/** One audio connection: a microphone track up, a remote track down to the speaker. */
export interface MediaPath {
  /** Makes an SDP offer; `restart` asks for new ICE credentials. Rejects with "media_failed". */
  offer(restart: boolean): Promise<string>;
  /** Takes the server's answer. */
  answer(sdp: string): Promise<void>;
  /** Sends silence (true) or the microphone. */
  mute(on: boolean): void;
  /** Sends keys by RFC 4733; false if this connection cannot. */
  sendDigits(digits: string): boolean;
  stats(): Promise<CallStats>;
  level(side: LevelSide): number;
  /** What is below it, if that is a browser's connection. */
  readonly connection?: RTCPeerConnection;
  /** Closes; releases the microphone if no other path uses it. Nothing is reported afterwards. */
  close(): void;
}

/** What a driver reports. */
export interface MediaDriverEvents {
  devices(devices: AudioDevices): void;
  audioBlocked(blocked: boolean): void;
  /** The chosen microphone vanished and none could take its place, or the like. */
  error(error: unknown): void;
}

/** Microphones, speakers and paths. */
export interface MediaDriver {
  readonly devices: AudioDevices;
  /** Sets who is told; called once, before anything else. */
  start(events: MediaDriverEvents): void;
  /** True if the microphone can be opened without asking the user. */
  microphoneAllowed(): Promise<boolean>;
  /** Opens the microphone once, so that later it opens without a question. Rejects with a microphone error. */
  prepareMicrophone(): Promise<void>;
  setMicrophone(id: string): Promise<void>;
  setSpeaker(id: string): Promise<void>;
  unlockAudio(): Promise<void>;
  /** Opens the microphone and a connection that can be negotiated. Rejects with a microphone error. */
  openPath(events: MediaPathEvents, iceServers: readonly RTCIceServer[]): Promise<MediaPath>;
}
