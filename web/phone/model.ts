import { computed, effect, signal } from "@preact/signals";
import type { Call, CallState, AudioState, Credentials, IncomingCall, Outcome, Phone, PhoneState } from "../sdk/src/index.ts";
import { title } from "../ui/format.ts";
import { Recents, type KeptValues } from "./recents.ts";
import { errorText } from "./texts.ts";

/** A call as it was at one moment, so that a change is a new object and is drawn. */
export interface CallView {
  readonly call: Call;
  readonly state: CallState;
  readonly audio: AudioState;
  readonly muted: boolean;
}

/** A short message that goes away by itself. */
export interface Toast {
  readonly text: string;
  readonly tone: "plain" | "fault";
}

/** Where the page stands with the log in. */
export type Session = "starting" | "signed-out" | "signing-in" | "signed-in";

const toastMilliseconds = 6000;
const signalling = "/ws";

/** What the page shows and does: the SDK's phone as signals, and what is only the page's. */
export class Model {
  readonly session = signal<Session>("starting");
  readonly state = signal<PhoneState>({ kind: "offline" });
  readonly calls = signal<readonly CallView[]>([]);
  readonly toast = signal<Toast | undefined>(undefined);
  readonly loginError = signal("");
  /** What is typed on the dial pad. */
  readonly entry = signal("");
  /** A call is being placed or answered: the microphone is asked for, which may take the user a while. */
  readonly busy = signal(false);
  readonly recents: Recents;

  /** The call that rings here, if any. */
  readonly ringing = computed(() => this.calls.value.find((v) => isRinging(v)));
  /** The call the user is in, or makes. */
  readonly current = computed(() => this.calls.value.find((v) => !isRinging(v)));

  private toastTimer: ReturnType<typeof setTimeout> | undefined;

  readonly phone: Phone;
  private readonly followed = new WeakSet<Call>();

  constructor(phone: Phone, storage: KeptValues) {
    this.phone = phone;
    this.recents = new Recents(storage);
    phone.on("state", (state) => this.phoneState(state));
    phone.on("calls", () => this.refresh());
    phone.on("incoming", (call) => this.follow(call));
    phone.on("error", (error) => this.fault(error));
    effect(() => {
      const state = this.state.value;
      if (state.kind === "online") {
        this.recents.open(state.user.user ?? "");
      }
    });
  }

  /** Takes up a session: from a token, else from before a reload. */
  async start(token: string): Promise<void> {
    if (token) {
      await this.login({ token });
      return;
    }
    try {
      this.session.value = (await this.phone.restore(signalling)) ? "signed-in" : "signed-out";
    } catch {
      this.session.value = "signed-out"; // an old session that cannot be taken up is no fault
    }
    this.phone.calls.forEach((call) => this.follow(call));
  }

  async login(credentials: Credentials): Promise<void> {
    this.session.value = "signing-in";
    this.loginError.value = "";
    try {
      await this.phone.connect(signalling, credentials);
      this.session.value = "signed-in";
    } catch (error) {
      this.session.value = "signed-out";
      this.loginError.value = errorText(error);
    }
  }

  async logout(): Promise<void> {
    await this.attempt(() => this.phone.disconnect());
    this.session.value = "signed-out";
  }

  async dial(to: string): Promise<void> {
    const target = to.trim();
    if (!target || this.current.value) {
      return;
    }
    await this.once(async () => {
      this.follow(await this.phone.call(target));
      this.entry.value = "";
    });
  }

  /** Answers, and hangs up what went on before: one conversation at a time. */
  async answer(call: IncomingCall): Promise<void> {
    const before = this.current.value;
    await this.once(async () => {
      await call.answer();
      await before?.call.hangUp();
    });
  }

  decline(call: IncomingCall): Promise<void> {
    return this.attempt(() => call.decline());
  }

  hangUp(call: Call): Promise<void> {
    return this.attempt(() => call.hangUp());
  }

  mute(call: Call): Promise<void> {
    return this.attempt(() => call.mute(!call.muted));
  }

  digit(call: Call, digit: string): Promise<void> {
    return this.attempt(() => call.sendDigits(digit));
  }

  say(text: string, tone: Toast["tone"] = "plain"): void {
    clearTimeout(this.toastTimer);
    this.toast.value = { text, tone };
    this.toastTimer = setTimeout(() => (this.toast.value = undefined), toastMilliseconds);
  }

  /** Runs something that may fail; a failure is said and goes no further. */
  async attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Like attempt, for what must not be begun twice by a second click. */
  private async once(action: () => Promise<void>): Promise<void> {
    if (this.busy.value) {
      return;
    }
    this.busy.value = true;
    await this.attempt(action);
    this.busy.value = false;
  }

  private fault(error: unknown): void {
    this.say(errorText(error), "fault");
  }

  private phoneState(state: PhoneState): void {
    this.state.value = state;
    if (state.kind === "online") {
      this.session.value = "signed-in";
    } else if (state.kind === "offline" && this.session.value === "signed-in") {
      this.session.value = "signed-out";
      this.loginError.value = state.error ? errorText(state.error) : "";
    }
  }

  private follow(call: Call): void {
    if (this.followed.has(call)) {
      return;
    }
    this.followed.add(call);
    let activeSince = 0;
    call.on("state", (state) => {
      if (state.kind === "active") {
        activeSince = state.since;
      }
      this.refresh();
    });
    call.on("audio", () => this.refresh());
    call.on("muted", () => this.refresh());
    call.on("ended", (outcome) => this.over(call, outcome, activeSince));
    this.refresh();
  }

  private over(call: Call, outcome: Outcome, activeSince: number): void {
    this.recents.add({
      id: call.id || `${call.createdAt}`,
      direction: call.direction,
      party: { ...call.remote },
      at: call.createdAt,
      outcome: outcome.kind,
      seconds: activeSince > 0 ? Math.round((Date.now() - activeSince) / 1000) : 0,
    });
    if (outcome.kind !== "completed" && !(outcome.kind === "declined" && call.direction === "incoming")) {
      this.say(`${title(call.remote)}: ${outcome.text}`);
    }
    this.refresh();
  }

  private refresh(): void {
    const live = this.phone.calls.filter((call) => call.state.kind !== "ended");
    live.forEach((call) => this.follow(call));
    this.calls.value = live.map((call) => ({ call, state: call.state, audio: call.audio, muted: call.muted }));
  }
}

/** Reports whether a call waits for this user's answer. */
export function isRinging(view: CallView): view is CallView & { readonly call: IncomingCall } {
  return view.call.direction === "incoming" && view.state.kind === "ringing";
}
