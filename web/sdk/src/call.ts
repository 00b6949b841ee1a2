// The calls that applications see. The server owns their state; these objects
// show it.

import { type AudioContextOfPhone, CallAudio } from "./audio.ts";
import { Emitter } from "./emitter.ts";
import { asPhoneError, isPhoneError, phoneError } from "./errors.ts";
import { outcome, outcomeOf } from "./outcome.ts";
import type {
  AudioState,
  BaseCall,
  CallEvents,
  CallState,
  CallStats,
  IncomingCall,
  LevelSide,
  Outcome,
  OutgoingCall,
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

abstract class CallObject implements BaseCall {
  abstract readonly direction: "incoming" | "outgoing";
  abstract readonly remote: Party;
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
        this.move({ kind: "active", since: Date.now() });
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

export class Incoming extends CallObject implements IncomingCall {
  readonly direction = "incoming";
  readonly remote: Party;
  #answering: Promise<void> | undefined;

  constructor(owner: CallOwner, wire: WireCall) {
    super(owner, wire.leg, wire.from, wire.to, stateOf(wire));
    this.remote = wire.from;
  }

  protected self(): AnyCall {
    return this;
  }

  /** Tells the caller that it rings here. */
  alert(): void {
    this.tell({ type: "ringing", leg: this.id });
  }

  answer(): Promise<void> {
    if (this.state.kind === "ended") return Promise.reject(phoneError("call_ended"));
    this.#answering ??= this.#answer().catch((error: unknown) => {
      this.#answering = undefined;
      throw error;
    });
    return this.#answering;
  }

  async #answer(): Promise<void> {
    // A user who first has to say yes to the microphone might say no: then the
    // call must still be there for somebody else.
    if (!(await this.owner.driver.microphoneAllowed())) await this.media.open();
    if (this.state.kind !== "ringing") throw phoneError("call_ended");
    const accepted = this.#accept();
    accepted.catch(() => undefined); // awaited below, after the microphone
    try {
      await this.media.open();
    } catch (error) {
      await accepted;
      await this.hangUp();
      throw error;
    }
    await accepted;
    await this.media.negotiate(this.id).catch((error: unknown) => this.#noAudio(error));
  }

  async #accept(): Promise<void> {
    try {
      await this.owner.session.request({ type: "accept", leg: this.id });
    } catch (error) {
      if (isPhoneError(error) && error.kind === "refused") throw phoneError("call_ended", error);
      throw error;
    }
    if (this.state.kind === "ringing") this.move({ kind: "connecting" });
  }

  // A lost connection is repaired at the next hello; anything else is final.
  async #noAudio(error: unknown): Promise<void> {
    if (this.state.kind === "ended" || (isPhoneError(error) && error.kind === "not_connected")) return;
    await this.hangUp();
    throw asPhoneError(error, "media_failed");
  }

  decline(): Promise<void> {
    if (this.state.kind !== "ringing") return Promise.reject(phoneError("call_ended"));
    return this.hangUp();
  }
}

export class Outgoing extends CallObject implements OutgoingCall {
  readonly direction = "outgoing";
  readonly remote: Party;
  /** Id of the request that makes the leg: how a leg is known again after a lost reply. */
  readonly requestId: string;

  constructor(owner: CallOwner, to: Party, from: Party, requestId: string, wire?: WireCall) {
    super(owner, wire?.leg ?? "", from, to, wire === undefined ? { kind: "calling" } : stateOf(wire));
    this.remote = to;
    this.requestId = requestId;
  }

  protected self(): AnyCall {
    return this;
  }

  /** Opens the microphone: the only part that the application waits for. */
  openAudio(): Promise<void> {
    return this.media.open();
  }

  /** Negotiates the path, so that ringback is heard, then makes the leg. */
  async dial(number: string): Promise<void> {
    try {
      await this.media.negotiate(undefined);
      if (this.state.kind === "ended") return;
      const reply = await this.owner.session.request({ type: "call", to: number, path: this.pathId }, this.requestId);
      if (reply.leg === undefined) throw phoneError("protocol");
      this.made(reply.leg);
    } catch (error) {
      this.#failed(asPhoneError(error, "media_failed"));
    }
  }

  /** The leg is known. One that was hung up meanwhile is hung up now. */
  made(leg: string): void {
    if (this.id !== "") return;
    this.named(leg);
    if (this.state.kind === "ended") this.tell({ type: "hangup", leg });
    else if (this.muted) this.tell({ type: "mute", leg, muted: true });
  }

  #failed(error: PhoneError): void {
    // Without an answer the leg may exist: the next hello tells.
    if (error.kind === "not_connected" && this.id === "") return;
    this.finish({ ...outcome("failed", 41), text: error.message });
  }
}

function stateOf(wire: WireCall): CallState {
  switch (wire.state) {
    case "active":
      return { kind: "active", since: Date.now() };
    case "ringing":
      return { kind: "ringing", early: wire.early ?? false };
    default:
      return { kind: wire.state };
  }
}
