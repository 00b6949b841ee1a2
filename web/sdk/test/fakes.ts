// A server and a browser that do what a test tells them.

import assert from "node:assert/strict";
import { phoneError } from "../src/errors.ts";
import type { MediaDriver, MediaDriverEvents, MediaPath, MediaPathEvents } from "../src/media/driver.ts";
import type { OpenTransport, TransportEvents } from "../src/transport.ts";
import type { AudioDevices, CallStats, PhoneErrorKind } from "../src/types.ts";

/** Lets everything that waits for a promise go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

export type Message = Readonly<Record<string, unknown>>;

/** One socket, seen from the server. */
export class FakeSocket {
  readonly url: string;
  readonly sent: Message[] = [];
  closeCode: number | undefined;
  readonly #events: TransportEvents;

  constructor(url: string, events: TransportEvents) {
    this.url = url;
    this.#events = events;
  }

  async open(): Promise<void> {
    this.#events.opened();
    await settle();
  }

  async say(message: Message): Promise<void> {
    this.#events.message(JSON.stringify(message));
    await settle();
  }

  async raw(text: string): Promise<void> {
    this.#events.message(text);
    await settle();
  }

  async close(code: number): Promise<void> {
    this.#events.closed(code);
    await settle();
  }

  /** The oldest message not yet taken; it must be of `type`. */
  take(type: string): Message {
    const message = this.sent.shift();
    assert.ok(message !== undefined, `nothing was sent, want ${type}`);
    assert.equal(message["type"], type, JSON.stringify(message));
    return message;
  }

  /** Answers a request that was taken. */
  reply(request: Message, fields: Message = {}): Promise<void> {
    return this.say({ type: "reply", id: request["id"], ...fields });
  }

  refuse(request: Message, kind: string): Promise<void> {
    return this.say({ type: "error", id: request["id"], kind, message: "no" });
  }

  welcome(login: Message, fields: Message = {}): Promise<void> {
    return this.say({
      type: "hello",
      id: login["id"],
      protocol: 1,
      version: "test",
      user: { user: "sales" },
      device: "d1",
      resume: "secret1",
      resumed: false,
      calls: [],
      ended: [],
      paths: [],
      ice_servers: [],
      limits: { ping_seconds: 20 },
      ...fields,
    });
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];

  readonly open: OpenTransport = (url, events) => {
    const socket = new FakeSocket(url, events);
    this.sockets.push(socket);
    return {
      send: (text) => socket.sent.push(JSON.parse(text) as Message),
      close: (code) => {
        socket.closeCode = code;
      },
    };
  };

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    assert.ok(socket !== undefined, "no socket was opened");
    return socket;
  }
}

export class FakePath implements MediaPath {
  readonly events: MediaPathEvents;
  offers: boolean[] = [];
  answers: string[] = [];
  muted = false;
  digits = "";
  inband = true;
  closed = false;

  constructor(events: MediaPathEvents) {
    this.events = events;
  }

  async offer(restart: boolean): Promise<string> {
    this.offers.push(restart);
    return `offer ${this.offers.length}`;
  }

  async answer(sdp: string): Promise<void> {
    this.answers.push(sdp);
  }

  mute(on: boolean): void {
    this.muted = on;
  }

  sendDigits(digits: string): boolean {
    if (this.inband) this.digits += digits;
    return this.inband;
  }

  async stats(): Promise<CallStats> {
    return { codec: "opus", packetsSent: 1, packetsReceived: 2, packetsLost: 0, jitterMs: 1, roundTripMs: 2, concealedRatio: 0 };
  }

  level(): number {
    return 0.5;
  }

  close(): void {
    this.closed = true;
  }
}

export class FakeMedia implements MediaDriver {
  readonly paths: FakePath[] = [];
  allowed = true;
  iceServers: readonly RTCIceServer[] = [];
  failure: PhoneErrorKind | undefined;
  events: MediaDriverEvents | undefined;
  readonly devices: AudioDevices = { microphones: [], speakers: [], microphone: "", speaker: "", canChooseSpeaker: true };

  start(events: MediaDriverEvents): void {
    this.events = events;
  }

  async microphoneAllowed(): Promise<boolean> {
    return this.allowed;
  }

  async prepareMicrophone(): Promise<void> {}
  async setMicrophone(): Promise<void> {}
  async setSpeaker(): Promise<void> {}
  async unlockAudio(): Promise<void> {}

  async openPath(events: MediaPathEvents, iceServers: readonly RTCIceServer[]): Promise<MediaPath> {
    this.iceServers = iceServers;
    if (this.failure !== undefined) throw phoneError(this.failure);
    const path = new FakePath(events);
    this.paths.push(path);
    return path;
  }

  /** The newest path. */
  get path(): FakePath {
    const path = this.paths.at(-1);
    assert.ok(path !== undefined, "no path was opened");
    return path;
  }
}
