// The calls that applications see. The server owns their state; these objects
// show it.

import { type AudioContextOfPhone, CallAudio } from "./audio.ts";
import { Emitter } from "./emitter.ts";
import { asPhoneError, phoneError } from "./errors.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";
import { outcome, outcomeOf } from "./outcome.ts";
import type {
  AudioState,
  BaseCall,
  CallEvents,
  CallState,
  CallStats,
  LevelSide,
  Outcome,
  Party,
  PhoneError,
  Unsubscribe,
} from "./types.ts";
import type { Request, ServerEvent, WireCall, WirePath } from "./wire.ts";

/** What a call asks of its phone. */
export interface CallOwner extends AudioContextOfPhone {
  /** The call is over: forget it. */
  over(call: AnyCall): void;
  /** Something failed that nobody waits for. */
  failed(error: PhoneError): void;
}

/** Every call object of this SDK. */
export type AnyCall = Incoming | Outgoing;

const digitsPattern = /^[0-9*#A-D,]+$/;
const pauseFor = 2_000;

/** The part of a call that has no direction. */
export abstract class CallObject implements BaseCall {
  abstract readonly direction: "incoming" | "outgoing";
  abstract readonly remote: Party;
  abstract readonly publicId: string;
  readonly from: Party;
  readonly to: Party;
  readonly createdAt = Date.now();
  protected readonly owner: CallOwner;
  protected readonly media: CallAudio;
  readonly #emitter = new Emitter<CallEvents>();
  #id: string;
  #state: CallState;
  #muted = false;

  constructor(owner: CallOwner, id: string, from: Party, to: Party, state: CallState) {
    this.owner = owner;
    this.#id = id;
    this.from = from;
    this.to = to;
    this.#state = state;
    this.media = new CallAudio(owner, (audio) => this.#emitter.emit("audio", audio));
  }

  get id(): string {
    return this.#id;
  }

  get state(): CallState {
    return this.#state;
  }

  get audio(): AudioState {
    return this.media.state;
  }

  get muted(): boolean {
    return this.#muted;
  }

  /** The path on the wire, "" without. */
  get pathId(): string {
    return this.media.pathId;
  }

  on<K extends keyof CallEvents>(event: K, listener: (value: CallEvents[K]) => void): Unsubscribe {
    return this.#emitter.on(event, listener);
  }

  /** Over, as far as this page is concerned: releases audio at once, whatever the network does. */
  finish(result: Outcome): void {
    if (this.#state.kind === "ended") return;
    this.media.close();
    this.#state = { kind: "ended", outcome: result };
    this.owner.over(this.self());
    this.#emitter.emit("state", this.#state);
    this.#emitter.emit("ended", result);
  }

  protected abstract self(): AnyCall;

  protected named(id: string): void {
    this.#id = id;
    this.#emitter.emit("id", id);
  }

  protected move(state: CallState): void {
    if (this.#state.kind === "ended") return;
    if (this.#state.kind === "active" && state.kind === "active") return; // keep since
    this.#state = state;
    this.#emitter.emit("state", state);
  }

  /** Takes an event of the server about this leg. */
  event(event: ServerEvent): void {
    switch (event.type) {
      case "ringing":
        this.move({ kind: "ringing", early: event.early });
        return;
      case "answered":
        if (this.#state.kind !== "active") this.move({ kind: "connecting" });
        return;
      case "up":
        this.move({ kind: "active", since: Date.now() });
        return;
      case "moved":
        this.#emitter.emit("moved", event.call);
        return;
      case "silenced":
        this.#emitter.emit("silenced", { deaf: event.deaf, on: event.on });
        return;
      case "ended":
      case "handled":
        this.finish(outcomeOf(this.direction, this.#state.kind, event.cause, event.reason));
        return;
    }
  }

  /** Takes what a hello says of this leg. */
  sync(wire: WireCall, path: WirePath | undefined): void {
    const early = wire.early ?? false;
    switch (wire.state) {
      case "active":
        this.move(stateOf(wire));
        break;
      case "ringing":
        if (this.#state.kind !== "ringing" || this.#state.early !== early) this.move({ kind: "ringing", early });
        break;
      default:
        if (this.#state.kind !== wire.state) this.move({ kind: wire.state });
    }
    if (this.#muted !== (wire.muted ?? false)) this.tell({ type: "mute", leg: this.#id, muted: this.#muted });
    this.media.resync(path, this.#id);
  }

  pathEvent(path: WirePath): void {
    if (path.state === "closed") this.media.resync(undefined, this.#id);
    else this.media.serverSays(path.state === "up");
  }

  /** The network may have changed. */
  refreshAudio(): void {
    this.media.refresh();
  }

  async hangUp(): Promise<void> {
    if (this.#state.kind === "ended") return;
    const ringsHere = this.direction === "incoming" && this.#state.kind === "ringing";
    if (this.#id !== "") this.tell({ type: ringsHere ? "decline" : "hangup", leg: this.#id });
    this.finish(outcome(ringsHere ? "declined" : "completed", ringsHere ? 21 : 16));
  }

  async mute(on: boolean): Promise<void> {
    if (this.#state.kind === "ended") throw phoneError("call_ended");
    if (this.#muted === on) return;
    // Here first: nobody must be heard because the network is slow.
    this.media.mute(on);
    this.#muted = on;
    this.#emitter.emit("muted", on);
    if (this.#id !== "") this.tell({ type: "mute", leg: this.#id, muted: on });
  }

  async sendDigits(digits: string): Promise<void> {
    if (!digitsPattern.test(digits)) throw new RangeError("digits are 0-9 * # A-D and ,");
    if (this.#state.kind === "ended" || this.#id === "") throw phoneError("call_ended");
    if (this.media.sendDigits(digits)) return;
    // Without telephone-event: tell the server, which reads its menus from it.
    for (const digit of digits) {
      if (digit === ",") await new Promise((resolve) => setTimeout(resolve, pauseFor));
      else await this.owner.session.request({ type: "digit", leg: this.#id, digit });
    }
  }

  stats(): Promise<CallStats | undefined> {
    return this.media.stats();
  }

  level(side: LevelSide): number {
    return this.media.level(side);
  }

  get connection(): RTCPeerConnection | undefined {
    return this.media.connection;
  }

  /** Makes audio for a call that another page of this device had before a reload. */
  async adopt(): Promise<void> {
    try {
      await this.media.open();
      await this.media.negotiate(this.#id);
    } catch (error) {
      if (this.#state.kind !== "ended") this.owner.failed(asPhoneError(error, "media_failed"));
    }
  }

  /** Sends a request that needs no answer: after a lost connection `sync` makes up for it. */
  protected tell(request: Request): void {
    this.owner.session.request(request).catch(() => undefined);
  }
}

/** Translates the state of a call that this page did not know. */
export function stateOf(wire: WireCall): CallState {
  switch (wire.state) {
    case "active":
      return { kind: "active", since: Date.now() - (wire.active_seconds ?? 0) * 1000 };
    case "ringing":
      return { kind: "ringing", early: wire.early ?? false };
    default:
      return { kind: wire.state };
  }
}
