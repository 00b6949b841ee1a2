// VonageClient: the surface of @vonage/client-sdk 2 on our own SDK.

import { createPhone } from "../src/index.ts";
import { isPhoneError } from "../src/errors.ts";
import { BrowserMedia } from "../src/media/browser.ts";
import type { Call, CustomData, Phone, PhoneError, PhoneState } from "../src/types.ts";
import type { MediaDriver } from "../src/media/driver.ts";
import type { OpenTransport } from "../src/transport.ts";
import { Callbacks } from "./callbacks.ts";
import { addresses, ClientConfig, type ConfigObject } from "./config.ts";
import { type ClientEvents, SessionErrorReason, VonageError } from "./names.ts";
import { type Fetch, Rest, type User } from "./rest.ts";
import { callerOf, Tracked, userName } from "./tracked.ts";

/** One leg of a call, as far as a browser knows it. */
export interface Leg {
  readonly id: string;
  readonly type: "app";
  readonly direction: "INBOUND" | "OUTBOUND";
  readonly conversationId: string | undefined;
  readonly status: string | undefined;
  readonly startTime: string;
  readonly endTime: undefined;
  readonly from: string;
  readonly to: string;
  readonly mediaState: { readonly mute: boolean; readonly earmuff: boolean };
}

/** What tests put in place of the browser. */
export interface Parts {
  readonly transport?: OpenTransport;
  readonly media?: MediaDriver;
  readonly fetch?: Fetch;
  /** Where this script came from. */
  readonly script?: string;
}

export type SayParams =
  | string
  | { readonly text: string; readonly level?: number; readonly loop?: number; readonly queue?: boolean; readonly voiceName?: string; readonly ssml?: boolean };

// The classic script's own address is known only while it runs.
const thisScript = (globalThis.document?.currentScript as { readonly src?: string } | null | undefined)?.src;

export class VonageClient {
  readonly #callbacks = new Callbacks();
  readonly #parts: Parts;
  readonly #phone: Phone;
  readonly #calls = new Map<string, Tracked>();
  #config: ConfigObject;
  #token = "";
  #lost = false;
  #output: HTMLAudioElement | undefined;

  constructor(config: ConfigObject = {}, parts: Parts = {}) {
    this.#config = new ClientConfig(config);
    this.#parts = parts;
    this.#phone = createPhone({
      surviveReload: true,
      media: parts.media ?? new BrowserMedia(() => this.#player()),
      ...(parts.transport === undefined ? {} : { transport: parts.transport }),
    });
    this.#phone.on("state", (state) => this.#state(state));
    this.#phone.on("incoming", (call) => this.#track(call).invite());
  }

  setConfig(config: ConfigObject): void {
    this.#config = new ClientConfig(config);
  }

  on<K extends keyof ClientEvents>(event: K, callback: (...args: ClientEvents[K]) => unknown): symbol {
    return this.#callbacks.add(event, callback);
  }

  off(event: keyof ClientEvents, name: symbol): boolean {
    return this.#callbacks.remove(event, name);
  }

  clearCallbacks(event: keyof ClientEvents): void {
    this.#callbacks.clear(event);
  }

  /** Logs in and returns the id of the session. With the id of one that a reload interrupted, calls included, it is taken up again if it still can be. */
  async createSession(token: string, sessionId?: string): Promise<string> {
    const { socket } = this.#addresses();
    this.#token = token;
    this.#lost = false;
    if (sessionId !== undefined && (await this.#phone.restore(socket)) && this.#session() === sessionId) {
      for (const call of this.#phone.calls) this.#track(call);
      return sessionId;
    }
    try {
      await this.#phone.connect(socket, () => ({ token: this.#token }));
    } catch (error) {
      throw vonageError(error);
    }
    return this.#session();
  }

  #session(): string {
    const state = this.#phone.state;
    return state.kind === "online" ? `SES-${state.device}` : "";
  }

  /** Takes a new token, for the next time that one is needed. */
  async refreshSession(token: string): Promise<void> {
    this.#token = token;
  }

  async deleteSession(): Promise<void> {
    for (const tracked of [...this.#calls.values()]) await tracked.leave();
    await this.#phone.disconnect();
  }

  async getUser(idOrName: string): Promise<User> {
    return this.#rest().user(idOrName === "me" ? this.#me() : idOrName);
  }

  #me(): string {
    const state = this.#phone.state;
    if (state.kind !== "online" || state.user.user === undefined) throw noSession();
    return userName(state.user.user);
  }

  /** Calls: the application gets `context` and decides. Returns the id of the call, which is the leg's. */
  async serverCall(context: CustomData = {}): Promise<string> {
    const to = typeof context["to"] === "string" ? context["to"] : "";
    let call: Call;
    try {
      call = await this.#phone.call(to, { custom: context });
    } catch (error) {
      throw vonageError(error);
    }
    const id = await named(call);
    this.#track(call);
    return id;
  }

  async answer(callId: string): Promise<void> {
    const { call } = this.#find(callId);
    if (call.direction !== "incoming") throw unknownCall(callId);
    await call.answer().catch(rethrow);
  }

  async reject(callId: string): Promise<void> {
    await this.#find(callId).leave();
  }

  async hangup(callId: string, _reasonText?: string, _reasonCode?: string): Promise<void> {
    await this.#find(callId).leave();
  }

  async mute(callId: string): Promise<void> {
    await this.#find(callId).call.mute(true).catch(rethrow);
  }

  async unmute(callId: string): Promise<void> {
    await this.#find(callId).call.mute(false).catch(rethrow);
  }

  async enableEarmuff(callId: string): Promise<void> {
    this.#find(callId).earmuff(true);
  }

  async disableEarmuff(callId: string): Promise<void> {
    this.#find(callId).earmuff(false);
  }

  async sendDTMF(callId: string, digits: string): Promise<void> {
    const tracked = this.#find(callId);
    await tracked.call.sendDigits(digits.toUpperCase().replaceAll("P", ",")).catch(rethrow);
    this.#callbacks.tell("dtmf", tracked.id, tracked.id, digits);
  }

  /** Says something to the leg of this user. */
  async say(callId: string, params: SayParams): Promise<void> {
    const { text, ssml, level, loop, voiceName }: Exclude<SayParams, string> = typeof params === "string" ? { text: params } : params;
    const said = ssml === true && !/^\s*<speak[\s>]/.test(text) ? `<speak>${text}</speak>` : text;
    await this.#rest().ask("PUT", `/v1/legs/${encodeURIComponent(callId)}/talk`, { text: said, level, loop, voice_name: voiceName });
  }

  /** Takes up a call that a reload interrupted; createSession with the session's id has done the work. */
  async reconnectCall(legId: string): Promise<string> {
    return this.#find(legId).id;
  }

  async getLeg(legId: string): Promise<Leg> {
    const { call, conversation, muted, earmuffed, status, startTime } = this.#find(legId);
    return {
      id: legId,
      type: "app",
      direction: call.direction === "incoming" ? "OUTBOUND" : "INBOUND", // as the server sees it
      conversationId: conversation,
      status,
      startTime,
      endTime: undefined,
      from: callerOf(call.from),
      to: callerOf(call.to),
      mediaState: { mute: muted, earmuff: earmuffed },
    };
  }

  /** The legs of a call that a browser knows: its own. */
  async getCallLegs(callId: string): Promise<{ legs: Leg[]; nextCursor: null; previousCursor: null }> {
    return { legs: [await this.getLeg(callId)], nextCursor: null, previousCursor: null };
  }

  getPeerConnection(id: string): RTCPeerConnection | undefined {
    return this.#find(id).call.connection;
  }

  /** Plays the other end's voice; undefined before there was any. */
  getAudioOutputElement(): HTMLAudioElement | undefined {
    return this.#output;
  }

  // The element that pages know plays one call; a second one at the same time gets its own.
  #player(): HTMLAudioElement {
    if (this.#output !== undefined && this.#output.srcObject !== null) return new Audio();
    return (this.#output ??= new Audio());
  }

  #addresses(): { api: string; socket: string } {
    return addresses(this.#config, this.#parts.script ?? thisScript);
  }

  #rest(): Rest {
    if (this.#token === "") throw noSession();
    return new Rest(this.#addresses().api, this.#token, this.#parts.fetch ?? ((url, init) => fetch(url, init)));
  }

  #track(call: Call): Tracked {
    const known = this.#calls.get(call.publicId);
    if (known !== undefined) return known;
    const tracked = new Tracked(call, {
      callbacks: this.#callbacks,
      telemetry: this.#config.rtcStatsTelemetry ?? true,
      over: (t) => this.#calls.delete(t.id),
    });
    this.#calls.set(call.publicId, tracked);
    return tracked;
  }

  #find(callId: string): Tracked {
    const tracked = this.#calls.get(callId);
    if (tracked === undefined) throw unknownCall(callId);
    return tracked;
  }

  #state(state: PhoneState): void {
    switch (state.kind) {
      case "reconnecting":
        if (!this.#lost) this.#callbacks.tell("reconnecting");
        this.#lost = true;
        return;
      case "online":
        if (this.#lost) this.#callbacks.tell("reconnection");
        this.#lost = false;
        return;
      case "offline":
        if (state.error !== undefined) this.#callbacks.tell("sessionError", sessionErrorReason(state.error));
        return;
    }
  }
}

// What is of no use to a telephone.
const unsupported = [
  "createConversation", "getConversation", "getConversations", "updateConversation", "deleteConversation", "joinConversation",
  "leaveConversation", "inviteToConversation", "getConversationMember", "getConversationMembers", "getConversationEvent",
  "getConversationEvents", "deleteEvent", "sendTextMessage", "sendMessageTextEvent", "sendMessageImageEvent", "sendMessageAudioEvent",
  "sendMessageVideoEvent", "sendMessageFileEvent", "sendMessageVCardEvent", "sendMessageTemplateEvent", "sendMessageLocationEvent",
  "sendMessageCustomEvent", "sendCustomEvent", "sendEphemeralEvent", "sendMessageSeenEvent", "sendMessageDeliveredEvent",
  "sendTypingEvent", "uploadImage", "emergencyCall", "emergencyHangup",
] as const;

for (const name of unsupported) {
  Object.defineProperty(VonageClient.prototype, name, {
    value: () => Promise.reject(new VonageError("INTERNAL_ERROR", "not-supported", `${name} is not supported by this server`)),
  });
}

/** Waits for the id of a call that was just made. */
function named(call: Call): Promise<string> {
  if (call.publicId !== "") return Promise.resolve(call.publicId);
  return new Promise((resolve, reject) => {
    call.on("id", resolve);
    call.on("ended", (outcome) => reject(new VonageError("CS_ERROR", "call:error:failed", outcome.text)));
  });
}

function noSession(): VonageError {
  return new VonageError("SESSION_ERROR", "session:error:none", "there is no session: call createSession first");
}

function unknownCall(callId: string): VonageError {
  return new VonageError("INTERNAL_ERROR", "call:error:not-found", `there is no call ${callId}`);
}

function rethrow(error: unknown): never {
  throw vonageError(error);
}

function sessionErrorReason(error: PhoneError): SessionErrorReason {
  return error.kind === "login_refused" ? SessionErrorReason.EXPIRED_TOKEN : SessionErrorReason.TRANSPORT_CLOSED;
}

function vonageError(error: unknown): VonageError {
  if (error instanceof VonageError) return error;
  if (!isPhoneError(error)) return new VonageError("UNKNOWN_ERROR", "unknown", String(error), error);
  switch (error.kind) {
    case "login_refused":
      return new VonageError("SESSION_ERROR", "session:error:invalid-token", error.message, error);
    case "locked_out":
    case "taken_over":
    case "session_ended":
      return new VonageError("SESSION_ERROR", `session:error:${error.kind}`, error.message, error);
    case "not_connected":
    case "timeout":
      return new VonageError("NETWORK_ERROR", `network:error:${error.kind}`, error.message, error);
    case "refused":
      return new VonageError("CS_ERROR", `call:error:${error.reason ?? "refused"}`, error.message, error);
    default:
      return new VonageError("INTERNAL_ERROR", `client:error:${error.kind}`, error.message, error);
  }
}
