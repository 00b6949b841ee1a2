// Calls that ring here.

import { type AnyCall, CallObject, type CallOwner, stateOf } from "./call.ts";
import { asPhoneError, isPhoneError, phoneError } from "./errors.ts";
import type { IncomingCall, Party } from "./types.ts";
import type { WireCall } from "./wire.ts";

export class Incoming extends CallObject implements IncomingCall {
  readonly direction = "incoming";
  readonly remote: Party;
  readonly publicId: string;
  #answering: Promise<void> | undefined;

  constructor(owner: CallOwner, wire: WireCall) {
    super(owner, wire.leg, wire.from, wire.to, stateOf(wire));
    this.remote = wire.from;
    this.publicId = wire.as ?? wire.leg;
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
