// One login over as many sockets as it takes: connect, log in or resume, match
// replies to requests, notice a dead socket, come back.

import { backoff } from "./backoff.ts";
import { phoneError, refusedError } from "./errors.ts";
import type { Ticket } from "./ticket.ts";
import type { OpenTransport, Transport } from "./transport.ts";
import type { CredentialsSource, PhoneError, PhoneState } from "./types.ts";
import { closeCode, type Failure, type Hello, parseMessage, protocolVersion, type Reply, type Request, type ServerEvent } from "./wire.ts";

/** What a session reports. */
export interface SessionEvents {
  state(state: PhoneState): void;
  /** A login or resume was good: this is true now, and what was known before is void. Comes before `state` "online". */
  hello(hello: Hello): void;
  event(event: ServerEvent): void;
}

export interface SessionOptions {
  readonly url: string;
  readonly label: string;
  /** Absent after a reload: then only `ticket` logs in. */
  readonly credentials?: CredentialsSource;
  readonly ticket?: Ticket;
  readonly open: OpenTransport;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: PhoneError): void;
  timer: ReturnType<typeof setTimeout>;
}

const replyWithin = 10_000;
const connectWithin = 10_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  // Unique for the life of the device, also over a reload.
  readonly #prefix = Math.random().toString(36).slice(2, 8);
  readonly #waiting = new Map<string, Waiting>();
  #ids = 0;
  #ticket: Ticket | undefined;
  #transport: Transport | undefined;
  #online = false;
  #stopped = false;
  #attempt = 0;
  #loginId = "";
  #resuming = false;
  #pingEvery = 20_000;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #settled: { resolve(): void; reject(error: PhoneError): void } | undefined;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#ticket = options.ticket;
  }

  /** Connects. Resolves at the first hello; rejects when it can never come. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settled = { resolve, reject };
      this.#events.state({ kind: "connecting" });
      this.#connect();
    });
  }

  get online(): boolean {
    return this.#online;
  }

  /** What a reloaded page needs to take up this session. */
  get ticket(): Ticket | undefined {
    return this.#stopped ? undefined : this.#ticket;
  }

  /** An id for a request, or for a path. */
  newId(): string {
    this.#ids++;
    return `${this.#prefix}-${this.#ids}`;
  }

  /** Sends a request. Rejects with "refused", "timeout" or "not_connected"; after the last two it may have been carried out. */
  request(request: Request, id = this.newId()): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (!this.#online) {
        reject(phoneError("not_connected"));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(phoneError("timeout"));
      }, replyWithin);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#transport?.send(JSON.stringify({ ...request, id }));
    });
  }

  /** The network may have changed, or the computer woke up: find out at once. */
  probe(): void {
    if (this.#stopped) return;
    if (this.#online) this.#ping(3_000);
    else if (this.#retry !== undefined) this.#connect();
  }

  /** Logs out and closes. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    try {
      if (this.#online) await this.request({ type: "logout" });
    } catch {
      // The close code below says the same.
    }
    this.#finish(undefined);
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#attempt++;
    // A transport may report late; only the current one counts.
    const current = (): boolean => this.#transport === transport;
    const transport = this.#options.open(this.#options.url, {
      opened: () => {
        if (current()) void this.#login();
      },
      message: (text) => {
        if (current()) this.#receive(text);
      },
      closed: (code) => {
        if (current()) this.#closed(code);
      },
    });
    this.#transport = transport;
    this.#watchFor(connectWithin);
  }

  async #login(): Promise<void> {
    const transport = this.#transport;
    const { label, credentials } = this.#options;
    const id = this.newId();
    this.#loginId = id;
    this.#resuming = this.#ticket !== undefined;
    if (this.#ticket !== undefined) {
      const { device, token } = this.#ticket;
      transport?.send(JSON.stringify({ type: "resume", id, protocol: protocolVersion, device, token }));
      return;
    }
    if (credentials === undefined) {
      this.#finish(phoneError("login_refused"));
      return;
    }
    let resolved;
    try {
      resolved = typeof credentials === "function" ? await credentials() : credentials;
    } catch (error) {
      this.#finish(phoneError("login_refused", error));
      return;
    }
    if (transport !== this.#transport) return;
    transport?.send(JSON.stringify({ type: "login", id, protocol: protocolVersion, label, ...resolved }));
  }

  #receive(text: string): void {
    this.#watchFor(this.#pingEvery);
    const message = parseMessage(text);
    if (message === undefined) return;
    switch (message.type) {
      case "hello":
        this.#welcome(message);
        return;
      case "reply":
        this.#take(message.id)?.resolve(message);
        return;
      case "error":
        this.#failed(message);
        return;
      default:
        if (this.#online) this.#events.event(message);
    }
  }

  #welcome(hello: Hello): void {
    this.#online = true;
    this.#attempt = 0;
    this.#pingEvery = hello.limits.ping_seconds * 1000;
    this.#ticket = { url: this.#options.url, device: hello.device, token: hello.resume };
    this.#events.hello(hello);
    this.#events.state({ kind: "online", user: hello.user, device: hello.device, serverVersion: hello.version });
    this.#settled?.resolve();
    this.#settled = undefined;
  }

  #failed(failure: Failure): void {
    if (this.#online) {
      if (failure.id !== undefined) this.#take(failure.id)?.reject(refusedError(failure.kind, failure.message));
      return;
    }
    if (failure.id !== this.#loginId) return;
    if (this.#resuming) {
      // Too late: the server forgot the device. A fresh login tells what is left, nothing.
      this.#ticket = undefined;
      void this.#login();
    } else if (failure.kind === "unauthorized" || failure.kind === "invalid") {
      this.#finish(phoneError("login_refused", failure));
    } else if (this.#settled !== undefined) {
      this.#finish(phoneError("locked_out", failure));
    } else {
      this.#transport?.close(closeCode.dead); // not for ever: try again later
    }
  }

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
    }
    return waiting;
  }

  #closed(code: number): void {
    this.#transport = undefined;
    this.#online = false;
    clearTimeout(this.#watch);
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(phoneError("not_connected"));
    switch (code) {
      case closeCode.logout:
        this.#finish(undefined);
        return;
      case closeCode.refused:
        this.#finish(phoneError("login_refused"));
        return;
      case closeCode.takenOver:
        this.#finish(phoneError("taken_over"));
        return;
      case closeCode.ended:
        this.#finish(phoneError("session_ended"));
        return;
    }
    const wait = backoff(this.#attempt + 1, Math.random());
    this.#retry = setTimeout(() => this.#connect(), wait);
    this.#events.state({ kind: "reconnecting", attempt: this.#attempt + 1, retryAt: Date.now() + wait });
  }

  // The end of the session, by its owner (no error) or by the server.
  #finish(error: PhoneError | undefined): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#online = false;
    clearTimeout(this.#retry);
    clearTimeout(this.#watch);
    const transport = this.#transport;
    this.#transport = undefined;
    transport?.close(closeCode.logout);
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(phoneError("not_connected"));
    this.#settled?.reject(error ?? phoneError("not_connected"));
    this.#settled = undefined;
    this.#events.state(error === undefined ? { kind: "offline" } : { kind: "offline", error });
  }

  // Sets when silence becomes suspicious.
  #watchFor(ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (this.#online) this.#ping(replyWithin);
      else this.#giveUp();
    }, ms);
  }

  #ping(within: number): void {
    this.#transport?.send(JSON.stringify({ type: "ping", id: this.newId() }));
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#giveUp(), within);
  }

  // The socket is dead: do not wait until the browser notices.
  #giveUp(): void {
    const transport = this.#transport;
    this.#closed(1006);
    transport?.close(closeCode.dead);
  }
}
