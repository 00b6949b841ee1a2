// Calls that are made here.

import { type AnyCall, CallObject, type CallOwner, stateOf } from "./call.ts";
import { asPhoneError, phoneError } from "./errors.ts";
import { outcome } from "./outcome.ts";
import type { CustomData, OutgoingCall, Party, PhoneError } from "./types.ts";
import type { WireCall } from "./wire.ts";

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

  get publicId(): string {
    return this.id;
  }

  protected self(): AnyCall {
    return this;
  }

  /** Opens the microphone: the only part that the application waits for. */
  openAudio(): Promise<void> {
    return this.media.open();
  }

  /** Negotiates the path, so that ringback is heard, then makes the leg. */
  async dial(number: string, custom?: CustomData): Promise<void> {
    try {
      await this.media.negotiate(undefined);
      if (this.state.kind === "ended") return;
      const reply = await this.owner.session.request({ type: "call", to: number, path: this.pathId, ...(custom === undefined ? {} : { custom }) }, this.requestId);
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
