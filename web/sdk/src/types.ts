// The public API of the SDK: everything an application needs, and nothing that
// it must not touch. createPhone (phone.ts) makes the only entry object.

/** Somebody at the other end, or the user who is logged in. All text is untrusted: show it as text, never as markup. */
export interface Party {
  /** User name, "app/name" for a user of an application. */
  readonly user?: string;
  /** Digits, E.164 without "+", or what was dialled. */
  readonly number?: string;
  /** Display name. */
  readonly name?: string;
}

/** A token, or the name and password of a user. */
export type Credentials =
  | { readonly token: string }
  | { readonly user: string; readonly password: string };

/** Credentials, or a function that gets fresh ones each time the SDK must log in again. */
export type CredentialsSource = Credentials | (() => Credentials | Promise<Credentials>);

/** What the connection to the server is doing. */
export type PhoneState =
  /** Not connected and not trying. `error` says why, if it was not the application's wish. */
  | { readonly kind: "offline"; readonly error?: PhoneError }
  /** The first connection is being made. */
  | { readonly kind: "connecting" }
  /** Logged in; calls arrive. */
  | { readonly kind: "online"; readonly user: Party; readonly device: string; readonly serverVersion: string }
  /** The connection was lost; calls go on. `retryAt` is a Date.now() time. */
  | { readonly kind: "reconnecting"; readonly attempt: number; readonly retryAt: number };

/** How far a call is. */
export type CallState =
  /** Outgoing: asked, nothing heard yet. */
  | { readonly kind: "calling" }
  /** Incoming: it rings here. Outgoing: it rings there; with `early` the server sends the ringback tone itself. */
  | { readonly kind: "ringing"; readonly early: boolean }
  /** Accepted or answered; audio is being connected. */
  | { readonly kind: "connecting" }
  /** Both hear each other since `since` (a Date.now() time). */
  | { readonly kind: "active"; readonly since: number }
  /** Over. The last state of every call. */
  | { readonly kind: "ended"; readonly outcome: Outcome };

/** How a call ended, as an application wants to show it. */
export type OutcomeKind =
  | "completed" // it was active; somebody hung up
  | "cancelled" // the caller gave up while it rang: a missed call here
  | "answered_elsewhere" // another device or phone took it: not a missed call
  | "declined_elsewhere" // another device of the same user declined it
  | "missed" // it rang here long enough
  | "declined" // refused, by this user or by the far end
  | "busy"
  | "no_answer" // outgoing: nobody took it
  | "unreachable" // outgoing: unknown number, or nobody registered
  | "not_allowed" // outgoing: the server forbids this number
  | "no_media" // audio could not be connected, or was lost for good
  | "limit" // the conversation used up its time
  | "failed"; // anything else: server stopped, time-out, overload

/** The end of a call. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** Q.850 cause, 1-127. 16 is a normal end. */
  readonly cause: number;
  /** One sentence in English for people. */
  readonly text: string;
}

/** What the audio connection of a call is doing. */
export type AudioState =
  | "none" // not asked for yet
  | "connecting"
  | "up"
  | "interrupted"; // the network is gone; the SDK is repairing it

/** Kinds of errors. */
export type PhoneErrorKind =
  | "microphone_denied" // the user or a policy said no
  | "microphone_missing" // no microphone there
  | "microphone_busy" // another program has it, or the hardware failed
  | "microphone_insecure" // the page is neither HTTPS nor on localhost
  | "speaker_failed" // the chosen speaker cannot be used
  | "audio_blocked" // the browser wants a click first: call phone.unlockAudio() from one
  | "login_refused" // wrong user, password or token
  | "locked_out" // too many failures, or the server is full: try later
  | "taken_over" // the same device was resumed by another page
  | "session_ended" // the application ended the session of its user
  | "not_connected" // no connection to the server
  | "refused" // the server refused the request; see `reason`
  | "timeout" // no answer from the server
  | "call_ended" // the call is over, or not in the state for this
  | "media_failed" // the browser could not negotiate audio
  | "protocol"; // the server said something that this SDK does not understand

/** Every error that the SDK throws or reports. `message` is a plain English sentence for people. */
export interface PhoneError extends Error {
  readonly kind: PhoneErrorKind;
  /** With "refused": the server's word, e.g. "not_found", "unavailable". */
  readonly reason?: string;
}

/** Events of a phone. */
export interface PhoneEvents {
  /** The connection changed. */
  state: PhoneState;
  /** A call rings here. Also after a reconnect, if it was not known before. */
  incoming: IncomingCall;
  /** A call that rang here was taken by another device or phone. Comes after the call's own `ended`. */
  answeredElsewhere: IncomingCall;
  /** The list `phone.calls` changed. */
  calls: readonly Call[];
  /** A microphone or speaker was plugged in or out, or chosen. */
  devices: AudioDevices;
  /** The browser refuses to play until the user clicks: show a button that calls unlockAudio(). `false` when it plays. */
  audioBlocked: boolean;
  /** Something failed that no method call is waiting for. */
  error: PhoneError;
}

/** Events of a call. */
export interface CallEvents {
  /** The state changed, including the last one. */
  state: CallState;
  /** This call's audio connection changed. */
  audio: AudioState;
  /** Muted or not any more. */
  muted: boolean;
  /** An application took this call into another conversation; its id. */
  moved: string;
  /** Somebody else muted this user, or with `deaf` lets it hear nobody; or undid that. */
  silenced: { readonly deaf: boolean; readonly on: boolean };
  /** The server gave an outgoing call its id. */
  id: string;
  /** The call is over; nothing comes after it. */
  ended: Outcome;
}

/** Stops a subscription. */
export type Unsubscribe = () => void;

/** Counters and estimates of a call's audio since it was connected. */
export interface CallStats {
  /** "opus", "PCMU", ...; "" while unknown. */
  readonly codec: string;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Of the received stream, in milliseconds. */
  readonly jitterMs: number;
  /** Browser to server and back, in milliseconds; undefined while unknown. */
  readonly roundTripMs: number | undefined;
  /** Received audio that had to be made up, 0-1. */
  readonly concealedRatio: number;
}

/** Which side of a call is metered. */
export type LevelSide = "local" | "remote";

/** What incoming and outgoing calls have in common. */
export interface BaseCall {
  /** The leg's id; stays the same over reconnects. For an outgoing call "" until the server gave it one. */
  readonly id: string;
  /** What an application of the server calls this call; `id` unless several devices ring for it. */
  readonly publicId: string;
  readonly direction: "incoming" | "outgoing";
  /** The party at the other end. */
  readonly remote: Party;
  readonly from: Party;
  readonly to: Party;
  readonly state: CallState;
  readonly audio: AudioState;
  readonly muted: boolean;
  /** Date.now() of when this page first knew the call. */
  readonly createdAt: number;
  on<K extends keyof CallEvents>(event: K, listener: (value: CallEvents[K]) => void): Unsubscribe;
  /** Ends the call. An incoming call that still rings is declined. Harmless when it is over. */
  hangUp(): Promise<void>;
  /** Stops (or starts again) sending the microphone. */
  mute(on: boolean): Promise<void>;
  /** Sends keys 0-9 * # A-D; "," pauses two seconds. Resolves when they are on their way. */
  sendDigits(digits: string): Promise<void>;
  /** Counters of the audio connection; undefined while there is none. */
  stats(): Promise<CallStats | undefined>;
  /** Loudness just now, 0 (silence) to 1 (full scale), for a meter; cheap enough for every animation frame. */
  level(side: LevelSide): number;
  /** The browser's connection below the audio; undefined while there is none. For reading, not for changing. */
  readonly connection: RTCPeerConnection | undefined;
}

/** A call that rings, or rang, here. */
export interface IncomingCall extends BaseCall {
  readonly direction: "incoming";
  /** Takes the call. Rejects, and leaves it ringing, if there is no microphone. Another device may still have been faster: see the outcome. */
  answer(): Promise<void>;
  /** Refuses the call on this device. */
  decline(): Promise<void>;
}

/** A call made here. */
export interface OutgoingCall extends BaseCall {
  readonly direction: "outgoing";
}

export type Call = IncomingCall | OutgoingCall;

/** One microphone or speaker. */
export interface AudioDevice {
  readonly id: string;
  /** "" before the user allowed the microphone. */
  readonly label: string;
}

/** The choice of devices. */
export interface AudioDevices {
  readonly microphones: readonly AudioDevice[];
  readonly speakers: readonly AudioDevice[];
  /** Chosen device ids; "" is the system's choice. */
  readonly microphone: string;
  readonly speaker: string;
  /** False where the browser cannot choose a speaker. */
  readonly canChooseSpeaker: boolean;
}

/** What createPhone may be told. Everything has a default that works in a browser. */
export interface PhoneOptions {
  /** What people see as this device's name; at most 64 bytes. Default: from the browser's name. */
  readonly label?: string;
  /** Keep the right to resume over a page reload in sessionStorage. Default true. */
  readonly surviveReload?: boolean;
  /** Replace the WebSocket, e.g. in tests: transport.ts. */
  readonly transport?: import("./transport.ts").OpenTransport;
  /** Replace microphone, speaker and RTCPeerConnection: media/driver.ts. */
  readonly media?: import("./media/driver.ts").MediaDriver;
}

/** Data for the application that takes a call: what JSON can say, at most 4 KB. */
export type CustomData = Readonly<Record<string, unknown>>;

/** What a call may be told. */
export interface CallOptions {
  /** For the application of the user who calls. */
  readonly custom?: CustomData;
}

/** The phone: one connection to the server and the calls on it. */
export interface Phone {
  readonly state: PhoneState;
  /** Live calls, oldest first. */
  readonly calls: readonly Call[];
  readonly devices: AudioDevices;
  readonly audioBlocked: boolean;
  on<K extends keyof PhoneEvents>(event: K, listener: (value: PhoneEvents[K]) => void): Unsubscribe;
  /**
   * Logs in. `url` is the server's page address or WebSocket address: "https://pbx.example.com", "wss://pbx.example.com/ws", or
   * "/ws" on the same host. Resolves when online; rejects with "login_refused" or "locked_out". Keeps trying when the network is the problem.
   * Rejects with "not_connected" if `connect`, `restore` or `disconnect` is called before that.
   */
  connect(url: string, credentials: CredentialsSource): Promise<void>;
  /** After a page reload: takes up where the page was, calls included. False if there is nothing to take up: show the login. */
  restore(url: string): Promise<boolean>;
  /** Logs out: ends all calls and the connection. */
  disconnect(): Promise<void>;
  /** Calls a number or user; a user of an application may say "" and let the application decide. The call object comes at once and tells its fate by events; rejects if there is no microphone or connection. */
  call(to: string, options?: CallOptions): Promise<OutgoingCall>;
  /** Asks for the microphone now, so that answering is quick later. Call it from a click. */
  prepareMicrophone(): Promise<void>;
  /** Chooses a microphone ("" = the system's); running calls change at once. */
  setMicrophone(id: string): Promise<void>;
  /** Chooses a speaker ("" = the system's); running calls change at once. */
  setSpeaker(id: string): Promise<void>;
  /** Plays audio that the browser blocked. Call it from a click. */
  unlockAudio(): Promise<void>;
  /** Changes the name that people see for this device. */
  setLabel(label: string): Promise<void>;
}
