import type {
  AudioDevices, AudioState, BaseCall, Call, CallEvents, CallState, Credentials, IncomingCall, OutgoingCall, Outcome, Party, Phone, PhoneEvents, PhoneState,
} from "../../sdk/src/index.ts";

/** Listeners of one object, by event. */
class Listeners<Events> {
  private readonly all = new Map<keyof Events, Set<(value: never) => void>>();

  on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): () => void {
    const set = this.all.get(event) ?? new Set();
    this.all.set(event, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<K extends keyof Events>(event: K, value: Events[K]): void {
    for (const listener of this.all.get(event) ?? []) {
      (listener as (value: Events[K]) => void)(value);
    }
  }
}

class FakeBase extends Listeners<CallEvents> implements BaseCall {
  readonly direction: "incoming" | "outgoing";
  readonly createdAt = Date.now();
  state: CallState;
  audio: AudioState = "none";
  muted = false;
  /** What the page asked for, in order. */
  readonly asked: string[] = [];
  levels = { local: 0, remote: 0 };
  /** Thrown by the next request, if set. */
  failure: Error | undefined;
  readonly id: string;
  readonly publicId: string;
  readonly connection = undefined;
  readonly remote: Party;
  readonly from: Party;
  readonly to: Party;
  private readonly owner: FakePhone;

  constructor(owner: FakePhone, id: string, direction: "incoming" | "outgoing", remote: Party, local: Party) {
    super();
    this.owner = owner;
    this.id = id;
    this.publicId = this.id;
    this.direction = direction;
    this.remote = remote;
    this.from = direction === "incoming" ? remote : local;
    this.to = direction === "incoming" ? local : remote;
    this.state = direction === "incoming" ? { kind: "ringing", early: false } : { kind: "calling" };
  }

  become(state: CallState): void {
    this.state = state;
    this.emit("state", state);
  }

  end(outcome: Outcome): void {
    this.state = { kind: "ended", outcome };
    this.emit("state", this.state);
    this.emit("ended", outcome);
    this.owner.drop(this.id);
  }

  hangUp(): Promise<void> {
    return this.ask("hangUp");
  }

  answer(): Promise<void> {
    return this.ask("answer");
  }

  decline(): Promise<void> {
    return this.ask("decline");
  }

  mute(on: boolean): Promise<void> {
    this.muted = on;
    this.emit("muted", on);
    return this.ask(`mute ${on}`);
  }

  sendDigits(digits: string): Promise<void> {
    return this.ask(`digits ${digits}`);
  }

  stats(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  level(side: "local" | "remote"): number {
    return this.levels[side];
  }

  private ask(what: string): Promise<void> {
    this.asked.push(what);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve();
  }
}

export type FakeIncoming = FakeBase & IncomingCall;
export type FakeOutgoing = FakeBase & OutgoingCall;

/** A phone without server, for tests of the page: they play the server's part. */
export class FakePhone extends Listeners<PhoneEvents> implements Phone {
  state: PhoneState = { kind: "offline" };
  calls: Call[] = [];
  audioBlocked = false;
  devices: AudioDevices = {
    microphones: [{ id: "m1", label: "Headset microphone" }, { id: "m2", label: "Built-in microphone" }],
    speakers: [{ id: "s1", label: "Headset" }, { id: "s2", label: "Built-in speaker" }],
    microphone: "m1",
    speaker: "",
    canChooseSpeaker: true,
  };
  restorable = false;
  refusal: Error | undefined;
  dialled: string[] = [];

  become(state: PhoneState): void {
    this.state = state;
    this.emit("state", state);
  }

  online(user: string, name?: string): void {
    this.become({ kind: "online", user: { user, ...(name ? { name } : {}) }, device: "d1", serverVersion: "test" });
  }

  ring(remote: Party, to: Party): FakeIncoming {
    const call = new FakeBase(this, `i${this.calls.length}`, "incoming", remote, to) as FakeIncoming;
    this.calls = [...this.calls, call];
    this.emit("calls", this.calls);
    this.emit("incoming", call);
    return call;
  }

  drop(id: string): void {
    this.calls = this.calls.filter((call) => call.id !== id);
    this.emit("calls", this.calls);
  }

  connect(_url: string, credentials: Credentials | (() => Credentials | Promise<Credentials>)): Promise<void> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    this.online(typeof credentials !== "function" && "user" in credentials ? credentials.user : "token");
    return Promise.resolve();
  }

  restore(): Promise<boolean> {
    if (this.restorable) {
      this.online("sales", "Sales");
    }
    return Promise.resolve(this.restorable);
  }

  disconnect(): Promise<void> {
    this.become({ kind: "offline" });
    return Promise.resolve();
  }

  call(to: string): Promise<FakeOutgoing> {
    this.dialled.push(to);
    const call = new FakeBase(this, `o${this.dialled.length}`, "outgoing", { number: to }, { user: "sales" }) as FakeOutgoing;
    this.calls = [...this.calls, call];
    this.emit("calls", this.calls);
    return Promise.resolve(call);
  }

  prepareMicrophone(): Promise<void> {
    return Promise.resolve();
  }

  setMicrophone(): Promise<void> {
    return Promise.resolve();
  }

  setSpeaker(): Promise<void> {
    return Promise.resolve();
  }

  unlockAudio(): Promise<void> {
    return Promise.resolve();
  }

  setLabel(): Promise<void> {
    return Promise.resolve();
  }
}
