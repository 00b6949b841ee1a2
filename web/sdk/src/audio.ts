// The audio of one call: a path negotiated through the session, repaired when the
// network changes.

import { phoneError } from "./errors.ts";
import type { MediaDriver, MediaPath } from "./media/driver.ts";
import type { Session } from "./session.ts";
import type { AudioState, CallStats, LevelSide } from "./types.ts";
import type { WirePath } from "./wire.ts";

// How long an ICE restart may take before the next is tried.
const repairEvery = 3_000;

/** What CallAudio asks of its phone. */
export interface AudioContextOfPhone {
  readonly session: Session;
  readonly driver: MediaDriver;
  readonly iceServers: readonly RTCIceServer[];
}

export class CallAudio {
  readonly #phone: AudioContextOfPhone;
  readonly #changed: (state: AudioState) => void;
  #path: MediaPath | undefined;
  #opening: Promise<void> | undefined;
  #negotiating: Promise<void> = Promise.resolve();
  #pathId = "";
  #state: AudioState = "none";
  #muted = false;
  #closed = false;
  #repair: ReturnType<typeof setTimeout> | undefined;

  constructor(phone: AudioContextOfPhone, changed: (state: AudioState) => void) {
    this.#phone = phone;
    this.#changed = changed;
  }

  get state(): AudioState {
    return this.#state;
  }

  /** The id of the path on the wire; "" before open. */
  get pathId(): string {
    return this.#pathId;
  }

  /** Opens microphone and connection, once. Rejects with a microphone error, and may then be called again. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const path = await this.#phone.driver.openPath(
      { up: () => this.#up(), interrupted: () => this.#broken() },
      this.#phone.iceServers,
    );
    if (this.#closed) {
      path.close();
      throw phoneError("call_ended");
    }
    path.mute(this.#muted);
    this.#path = path;
    this.#pathId = this.#phone.session.newId();
  }

  /** Offers to the server; with `leg` the path serves that leg from now on. One negotiation follows the other. */
  negotiate(leg: string | undefined, restart = false): Promise<void> {
    const turn = this.#negotiating.then(() => this.#negotiate(leg, restart));
    this.#negotiating = turn.catch(() => undefined);
    return turn;
  }

  async #negotiate(leg: string | undefined, restart: boolean): Promise<void> {
    const path = this.#path;
    if (path === undefined || this.#closed) throw phoneError("call_ended");
    if (this.#state === "none") this.#set("connecting");
    const sdp = await path.offer(restart);
    const reply = await this.#phone.session.request({ type: "media", path: this.#pathId, sdp, ...(leg === undefined ? {} : { leg }) });
    if (reply.sdp === undefined) throw phoneError("protocol");
    if (!this.#closed) await path.answer(reply.sdp);
  }

  /** The session is back: `path` is what the server still has of ours. */
  resync(path: WirePath | undefined, leg: string): void {
    if (this.#path === undefined || this.#closed) return;
    if (path === undefined) void this.#renew(leg);
    else this.serverSays(path.state === "up");
  }

  // The server lost the path: begin again with a new connection.
  async #renew(leg: string): Promise<void> {
    this.#path?.close();
    this.#path = undefined;
    this.#opening = undefined;
    this.#set("interrupted");
    try {
      await this.open();
      await this.negotiate(leg);
    } catch {
      // The connection is lost again (then resync comes again) or the microphone
      // is: the server ends a leg without a path.
    }
  }

  /** The server lost our checks, or has them again. Chromium may notice neither. */
  serverSays(up: boolean): void {
    if (up && this.#state === "interrupted") this.#up();
    if (!up && this.#state === "up") this.#broken();
  }

  // The connection does not work: restart ICE, again and again, until it does or
  // the call ends.
  #broken(): void {
    if (this.#closed || this.#path === undefined || this.#state === "interrupted") return;
    this.#set("interrupted");
    this.#tryRepair();
  }

  /** The network may have changed under a connection that still seems to work. */
  refresh(): void {
    if (this.#state === "up" && this.#phone.session.online) this.#restart();
  }

  #tryRepair(): void {
    clearTimeout(this.#repair);
    if (this.#closed || this.#state !== "interrupted") return;
    if (this.#phone.session.online) this.#restart();
    this.#repair = setTimeout(() => this.#tryRepair(), repairEvery);
  }

  #restart(): void {
    this.negotiate(undefined, true).catch(() => undefined); // tried again while interrupted
  }

  #up(): void {
    clearTimeout(this.#repair);
    if (!this.#closed) this.#set("up");
  }

  #set(state: AudioState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed(state);
  }

  mute(on: boolean): void {
    this.#muted = on;
    this.#path?.mute(on);
  }

  sendDigits(digits: string): boolean {
    return this.#path?.sendDigits(digits) ?? false;
  }

  async stats(): Promise<CallStats | undefined> {
    return this.#path?.stats();
  }

  level(side: LevelSide): number {
    return this.#path?.level(side) ?? 0;
  }

  get connection(): RTCPeerConnection | undefined {
    return this.#path?.connection;
  }

  /** Frees everything, here and on the server. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#repair);
    this.#path?.close();
    if (this.#pathId !== "" && this.#phone.session.online) {
      this.#phone.session.request({ type: "release", path: this.#pathId }).catch(() => undefined); // the server closes idle paths itself
    }
  }
}
