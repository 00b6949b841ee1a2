// The phone: joins session, calls and media.

import type { AnyCall, CallOwner } from "./call.ts";
import { Emitter } from "./emitter.ts";
import { asPhoneError, isPhoneError, phoneError } from "./errors.ts";
import { Incoming } from "./incoming.ts";
import { deviceLabel } from "./label.ts";
import { BrowserMedia } from "./media/browser.ts";
import type { MediaDriver } from "./media/driver.ts";
import { watchNetwork } from "./network.ts";
import { outcome, outcomeOf } from "./outcome.ts";
import { Outgoing } from "./outgoing.ts";
import { Session, type SessionOptions } from "./session.ts";
import { saveOnLeave, takeTicket } from "./ticket.ts";
import { openWebSocket, socketURL } from "./transport.ts";
import type {
  AudioDevices,
  Call,
  CallOptions,
  CredentialsSource,
  OutgoingCall,
  Party,
  Phone,
  PhoneError,
  PhoneEvents,
  PhoneOptions,
  PhoneState,
  Unsubscribe,
} from "./types.ts";
import type { Hello, ServerEvent, WireCall, WireEnd } from "./wire.ts";

/** Makes a phone. One is enough for a page. */
export function createPhone(options: PhoneOptions = {}): Phone {
  return new PhoneObject(options);
}

class PhoneObject implements Phone, CallOwner {
  readonly driver: MediaDriver;
  readonly #emitter = new Emitter<PhoneEvents>();
  readonly #options: PhoneOptions;
  readonly #calls: AnyCall[] = [];
  // Legs and requests of calls that are over here, so that a hello which still
  // has them (the hang-up was lost with the connection) does not revive them.
  readonly #over = new Set<string>();
  // Events of legs whose reply to "call" is still under way.
  readonly #ahead = new Map<string, ServerEvent[]>();
  #session: Session | undefined;
  // Counts what decides who is logged in: of several at once the last one holds.
  #turn = 0;
  #stopWatching: () => void = () => undefined;
  #state: PhoneState = { kind: "offline" };
  #label: string;
  #user: Party = {};
  #audioBlocked = false;
  iceServers: readonly RTCIceServer[] = [];

  constructor(options: PhoneOptions) {
    this.#options = options;
    this.#label = options.label ?? deviceLabel(globalThis.navigator?.userAgent ?? "");
    this.driver = options.media ?? new BrowserMedia();
    this.driver.start({
      devices: (devices) => this.#emitter.emit("devices", devices),
      audioBlocked: (blocked) => {
        this.#audioBlocked = blocked;
        this.#emitter.emit("audioBlocked", blocked);
      },
      error: (error) => this.failed(asPhoneError(error, "media_failed")),
    });
    if (options.surviveReload ?? true) saveOnLeave(() => this.#session?.ticket);
  }

  get state(): PhoneState {
    return this.#state;
  }

  get calls(): readonly Call[] {
    return [...this.#calls];
  }

  get devices(): AudioDevices {
    return this.driver.devices;
  }

  get audioBlocked(): boolean {
    return this.#audioBlocked;
  }

  /** The session that calls use; there is one as long as there is a call. */
  get session(): Session {
    if (this.#session === undefined) throw phoneError("not_connected");
    return this.#session;
  }

  on<K extends keyof PhoneEvents>(event: K, listener: (value: PhoneEvents[K]) => void): Unsubscribe {
    return this.#emitter.on(event, listener);
  }

  async connect(url: string, credentials: CredentialsSource): Promise<void> {
    if (!(await this.#leave())) throw phoneError("not_connected");
    await this.#begin({ url: absolute(url), label: this.#label, credentials, open: this.#options.transport ?? openWebSocket });
  }

  async restore(url: string): Promise<boolean> {
    const target = absolute(url);
    const ticket = takeTicket(target);
    if (ticket === undefined) return false;
    if (!(await this.#leave())) return false;
    try {
      await this.#begin({ url: target, label: this.#label, ticket, open: this.#options.transport ?? openWebSocket });
      return true;
    } catch (error) {
      if (!isPhoneError(error)) throw error;
      return false;
    }
  }

  #begin(options: SessionOptions): Promise<void> {
    // A page that finds nothing to restore shows its login, not an error.
    let quiet = options.credentials === undefined;
    const session = new Session(options, {
      state: (state) => {
        if (state.kind === "online") quiet = false;
        if (this.#session === session) this.#sessionState(quiet && state.kind === "offline" ? { kind: "offline" } : state);
      },
      hello: (hello) => this.#hello(hello),
      event: (event) => this.#event(event),
    });
    this.#session = session;
    this.#stopWatching();
    this.#stopWatching = watchNetwork(() => {
      session.probe();
      for (const call of this.#calls) call.refreshAudio();
    });
    return session.start();
  }

  async disconnect(): Promise<void> {
    await this.#leave();
  }

  // Ends the session. False if something else was asked for meanwhile.
  async #leave(): Promise<boolean> {
    const turn = ++this.#turn;
    await this.#session?.stop();
    return turn === this.#turn;
  }

  #sessionState(state: PhoneState): void {
    if (state.kind === "offline") {
      this.#stopWatching();
      const how = state.error === undefined ? outcome("completed", 16) : { ...outcome("failed", 41), text: state.error.message };
      for (const call of [...this.#calls]) call.finish(how);
    }
    this.#show(state);
  }

  #show(state: PhoneState): void {
    this.#state = state;
    this.#emitter.emit("state", state);
  }

  async call(to: string, options: CallOptions = {}): Promise<OutgoingCall> {
    const session = this.session;
    if (!session.online) throw phoneError("not_connected");
    const call = new Outgoing(this, { number: to }, this.#user, session.newId());
    await call.openAudio();
    this.#add(call);
    void call.dial(to, options.custom).then(() => this.#catchUp(call));
    return call;
  }

  // Events that overtook the reply to "call".
  #catchUp(call: Outgoing): void {
    const events = this.#ahead.get(call.id) ?? [];
    if (!this.#calls.some((c) => c.id === "")) this.#ahead.clear();
    for (const event of events) call.event(event);
  }

  #hello(hello: Hello): void {
    this.#user = hello.user;
    this.iceServers = hello.ice_servers;
    this.#ahead.clear();
    if (!hello.resumed) this.#over.clear();
    const paths = new Map(hello.paths.map((p) => [p.path, p]));
    const live = new Set<AnyCall>();
    for (const wire of hello.calls) {
      if (this.#isOver(wire)) {
        this.#endAgain(wire);
        continue;
      }
      const call = this.#find(wire.leg, wire.request);
      if (call !== undefined) {
        live.add(call);
        if (call instanceof Outgoing) call.made(wire.leg);
        call.sync(wire, paths.get(call.pathId));
      } else {
        live.add(this.#revive(wire));
      }
    }
    for (const end of hello.ended) this.#ended(end);
    for (const call of [...this.#calls]) {
      if (!live.has(call)) call.finish({ ...outcome("failed", 41), text: "The call was lost with the connection" });
    }
    const mine = new Set(this.#calls.map((c) => c.pathId));
    for (const path of paths.keys()) {
      // Left over from before a page reload.
      if (!mine.has(path)) queueMicrotask(() => this.#session?.request({ type: "release", path }).catch(() => undefined));
    }
  }

  #isOver(wire: WireCall): boolean {
    return this.#over.has(wire.leg) || (wire.request !== undefined && this.#over.has(wire.request));
  }

  #endAgain(wire: WireCall): void {
    const type = wire.direction === "incoming" && wire.state === "ringing" ? "decline" : "hangup";
    this.session.request({ type, leg: wire.leg }).catch(() => undefined); // over meanwhile
  }

  // A leg that this page does not know: it began while the connection was lost,
  // or before the page was reloaded.
  #revive(wire: WireCall): AnyCall {
    if (wire.direction === "incoming") {
      const call = this.#incoming(wire);
      if (wire.state !== "ringing") void call.adopt();
      return call;
    }
    const call = new Outgoing(this, wire.to, wire.from, wire.request ?? "", wire);
    this.#add(call);
    void call.adopt();
    return call;
  }

  #incoming(wire: WireCall): Incoming {
    const call = new Incoming(this, wire);
    this.#add(call);
    if (wire.state === "ringing") {
      call.alert();
      this.#emitter.emit("incoming", call);
    }
    return call;
  }

  #event(event: ServerEvent): void {
    switch (event.type) {
      case "incoming":
        if (this.#find(event.call.leg, undefined) === undefined) this.#incoming(event.call);
        return;
      case "path":
        this.#calls.find((c) => c.pathId === event.path)?.pathEvent(event);
        return;
      case "ice_servers":
        this.iceServers = event.ice_servers;
        return;
      case "ended":
      case "handled":
        this.#ended(event);
        return;
      default: {
        const call = this.#find(event.leg, undefined);
        if (call !== undefined) call.event(event);
        else if (this.#calls.some((c) => c.id === "")) this.#ahead.set(event.leg, [...(this.#ahead.get(event.leg) ?? []), event]);
      }
    }
  }

  #ended(end: WireEnd): void {
    const call = this.#find(end.leg, end.request);
    if (call === undefined) return;
    call.finish(outcomeOf(call.direction, call.state.kind, end.cause, end.reason));
    if (end.type === "handled" && call instanceof Incoming) this.#emitter.emit("answeredElsewhere", call);
  }

  #find(leg: string, request: string | undefined): AnyCall | undefined {
    return this.#calls.find((c) => c.id === leg || (request !== undefined && c instanceof Outgoing && c.requestId === request));
  }

  #add(call: AnyCall): void {
    this.#calls.push(call);
    this.#emitter.emit("calls", this.calls);
  }

  over(call: AnyCall): void {
    const at = this.#calls.indexOf(call);
    if (at < 0) return;
    this.#calls.splice(at, 1);
    if (call.id !== "") this.#over.add(call.id);
    if (call instanceof Outgoing) this.#over.add(call.requestId);
    this.#emitter.emit("calls", this.calls);
  }

  failed(error: PhoneError): void {
    this.#emitter.emit("error", error);
  }

  prepareMicrophone(): Promise<void> {
    return this.driver.prepareMicrophone();
  }

  setMicrophone(id: string): Promise<void> {
    return this.driver.setMicrophone(id);
  }

  setSpeaker(id: string): Promise<void> {
    return this.driver.setSpeaker(id);
  }

  unlockAudio(): Promise<void> {
    return this.driver.unlockAudio();
  }

  async setLabel(label: string): Promise<void> {
    this.#label = label;
    if (this.#session?.online === true) await this.#session.request({ type: "label", label });
  }
}

function absolute(url: string): string {
  return socketURL(url, globalThis.location?.href ?? "http://localhost/");
}
