// One call and the events that pages hear of it.

import type { Call, CallState, Outcome, OutcomeKind, Party } from "../src/types.ts";
import type { Callbacks } from "./callbacks.ts";
import { CancelReason, type ChannelType, HangupReason, LegStatus, VonageError } from "./names.ts";
import { Quality } from "./quality.ts";

/** How often counters are read while a call is active, in ms. */
const statsEvery = 5_000;

export interface TrackedOptions {
  readonly callbacks: Callbacks;
  /** Whether rtcStatsUpdate is told. */
  readonly telemetry: boolean;
  over(tracked: Tracked): void;
}

export class Tracked {
  readonly call: Call;
  /** The conversation that the call was taken into, if it was. */
  conversation: string | undefined;
  readonly startTime = new Date().toISOString();
  readonly #options: TrackedOptions;
  readonly #quality = new Quality();
  #told: LegStatus | undefined;
  #taken = false;
  #endedHere = false;
  #earmuffed = false;
  /** What the application did to this user. */
  #mute = false;
  #deaf = false;
  #interrupted = false;
  #reading: ReturnType<typeof setInterval> | undefined;

  constructor(call: Call, options: TrackedOptions) {
    this.call = call;
    this.#options = options;
    call.on("state", (state) => this.#state(state));
    call.on("audio", (audio) => this.#audio(audio === "up", audio === "interrupted"));
    call.on("muted", (on) => this.#tell("mute", on));
    call.on("silenced", ({ deaf, on }) => {
      if (deaf) this.#deaf = on;
      else this.#mute = on;
      this.#tell(deaf ? "earmuff" : "mute", on);
    });
    call.on("moved", (conversation) => {
      this.conversation = `CON-${conversation}`;
      options.callbacks.tell("callTransfer", this.id, this.conversation);
    });
    call.on("ended", (outcome) => this.#ended(outcome));
  }

  get id(): string {
    return this.call.publicId;
  }

  /** Whether this user is heard by nobody, by its own will or another's. */
  get muted(): boolean {
    return this.call.muted || this.#mute;
  }

  get earmuffed(): boolean {
    return this.#earmuffed || this.#deaf;
  }

  get status(): LegStatus | undefined {
    return this.#told;
  }

  /** Tells of a call that rings here. */
  invite(): void {
    this.#options.callbacks.tell("callInvite", this.id, callerOf(this.call.remote), channelOf(this.call.remote));
    this.#status(LegStatus.RINGING);
  }

  /** This user ends the call now. */
  leave(): Promise<void> {
    this.#endedHere = true;
    return this.call.hangUp();
  }

  earmuff(on: boolean): void {
    this.#earmuffed = on;
    this.#deafen();
    this.#tell("earmuff", on);
  }

  #tell(event: "mute" | "earmuff", on: boolean): void {
    this.#options.callbacks.tell(event, this.id, this.id, on);
  }

  #status(status: LegStatus): void {
    if (this.#told === status || this.id === "") return;
    this.#told = status;
    this.#options.callbacks.tell("legStatusUpdate", this.id, this.id, status);
  }

  #state(state: CallState): void {
    switch (state.kind) {
      case "ringing":
        if (this.call.direction === "outgoing") this.#status(LegStatus.RINGING);
        return;
      case "connecting":
        if (this.call.direction === "outgoing") this.#status(LegStatus.ANSWERED);
        return;
      case "active":
        this.#taken = true;
        this.#status(LegStatus.ANSWERED);
        this.#reading ??= setInterval(() => void this.#read(), statsEvery);
        return;
    }
  }

  async #read(): Promise<void> {
    const stats = await this.call.stats().catch(() => undefined);
    if (stats === undefined) return;
    this.#quality.add(stats);
    if (this.#options.telemetry) this.#options.callbacks.tell("rtcStatsUpdate", this.#quality.value, this.id);
  }

  #audio(up: boolean, interrupted: boolean): void {
    if (up) this.#deafen(); // maybe another connection
    if (interrupted && !this.#interrupted) this.#options.callbacks.tell("callMediaReconnecting", this.id);
    if (up && this.#interrupted) this.#options.callbacks.tell("callMediaReconnection", this.id);
    this.#interrupted = interrupted || (this.#interrupted && !up);
  }

  #deafen(): void {
    for (const receiver of this.call.connection?.getReceivers() ?? []) receiver.track.enabled = !this.#earmuffed;
  }

  #ended(outcome: Outcome): void {
    clearInterval(this.#reading);
    const { callbacks } = this.#options;
    this.#status(LegStatus.COMPLETED);
    this.#options.over(this);
    if (this.call.direction === "incoming" && !this.#taken) {
      if (outcome.kind === "no_media") callbacks.tell("callMediaError", this.id, new VonageError("INTERNAL_ERROR", "media:error", outcome.text));
      if (!this.#endedHere) callbacks.tell("callInviteCancel", this.id, cancelReason(outcome.kind));
      return;
    }
    if (outcome.kind === "no_media") callbacks.tell("callMediaDisconnect", this.id, false);
    callbacks.tell("callHangup", this.id, this.#quality.value, this.#endedHere ? HangupReason.LOCAL_HANGUP : hangupReason(outcome.kind));
  }
}

function cancelReason(kind: OutcomeKind): CancelReason {
  switch (kind) {
    case "answered_elsewhere":
      return CancelReason.AnsweredElsewhere;
    case "declined_elsewhere":
      return CancelReason.RejectedElsewhere;
    case "missed":
      return CancelReason.RemoteTimeout;
    default:
      return CancelReason.RemoteCancel;
  }
}

function hangupReason(kind: OutcomeKind): HangupReason {
  switch (kind) {
    case "declined":
    case "busy":
      return HangupReason.REMOTE_REJECT;
    case "no_answer":
      return HangupReason.REMOTE_NO_ANSWER_TIMEOUT;
    case "no_media":
      return HangupReason.MEDIA_TIMEOUT;
    default:
      return HangupReason.REMOTE_HANGUP;
  }
}

/** A user's name without the application before it. */
export function userName(user: string): string {
  return user.slice(user.indexOf("/") + 1);
}

export function callerOf(party: Party): string {
  if (party.user !== undefined) return userName(party.user);
  return party.number ?? party.name ?? "Unknown";
}

function channelOf(party: Party): ChannelType {
  if (party.user !== undefined) return "app";
  return party.number === undefined || /^\+?\d+$/.test(party.number) ? "phone" : "sip";
}
