import { computed, signal } from "@preact/signals";
import type { Link, LinkEvents } from "./link.ts";
import type { DemoPhone, LadderEntry, ServerMessage, Sound, State } from "./wire.ts";

/** The ear and mouth of this page. */
export interface Voice {
  /** Asks for the microphone, if that was not done; rejects if there is none. Call it from a click. */
  start(): Promise<void>;
  /** Plays 8 kHz PCM. */
  play(frame: ArrayBuffer): void;
  /** Set by the model: takes the microphone's frames. */
  onFrame: (frame: ArrayBuffer) => void;
}

const mostEntries = 400;

/** What the page of the simulated network shows and does. */
export class Model {
  readonly connected = signal(false);
  readonly state = signal<State | undefined>(undefined);
  readonly ladder = signal<readonly LadderEntry[]>([]);
  readonly error = signal("");
  /** Why the visitor cannot be heard, "" if all is well. */
  readonly voiceError = signal("");
  readonly to = signal("");
  /** The caller number that the visitor chose. */
  readonly from = signal("");
  /** The caller number in use: the chosen one, else the first. */
  readonly caller = computed(() => this.from.value || (this.state.value?.callers[0]?.number ?? ""));
  readonly phones = computed(() => this.state.value?.phones ?? []);
  readonly visitor = computed(() => this.phones.value.find((phone) => phone.visitor));

  private levels: Readonly<Record<string, number>> = {};
  /** The server's clock minus ours, milliseconds. */
  private ahead = 0;
  private readonly link: Link;
  private readonly voice: Voice;

  constructor(connect: (events: LinkEvents) => Link, voice: Voice) {
    this.voice = voice;
    this.link = connect({
      open: () => (this.connected.value = true),
      lost: () => this.lost(),
      message: (message) => this.receive(message),
      audio: (frame) => voice.play(frame),
    });
    voice.onFrame = (frame) => {
      if (this.phones.value.some((phone) => phone.yours && (phone.state === "talking" || phone.state === "calling"))) {
        this.link.audio(frame);
      }
    };
  }

  /** What a phone hears just now, 0 to 1, for its meter. */
  hears(id: string): number {
    const decibels = this.levels[id];
    return decibels === undefined || decibels <= -90 ? 0 : 10 ** (decibels / 20);
  }

  /** A time of the server as milliseconds from now; never negative. */
  age(at: number): number {
    return Math.max(0, Date.now() + this.ahead - at);
  }

  async call(phone: DemoPhone, to: string): Promise<void> {
    this.error.value = "";
    const target = to.replace(/[\s()-]/g, "").replace(/^\+/, "");
    if (!target) {
      return;
    }
    const from = this.caller.value;
    this.link.command({ type: "call", phone: phone.id, to: target, ...(phone.visitor && from ? { from } : {}) });
    await this.startVoice();
  }

  order(type: "answer" | "decline" | "hang_up", phone: DemoPhone): void {
    this.error.value = "";
    this.link.command({ type, phone: phone.id });
  }

  async sound(phone: DemoPhone, sound: Sound): Promise<void> {
    this.link.command({ type: "sound", phone: phone.id, sound });
    if (sound === "voice") {
      await this.startVoice();
    }
  }

  digit(phone: DemoPhone, digit: string): void {
    this.link.command({ type: "digit", phone: phone.id, digit });
  }

  private async startVoice(): Promise<void> {
    try {
      await this.voice.start();
      this.voiceError.value = "";
    } catch (error) {
      this.voiceError.value = error instanceof Error ? error.message : "The microphone cannot be used.";
    }
  }

  private lost(): void {
    this.connected.value = false;
    this.levels = {};
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "state":
        if (!this.state.value) {
          this.to.value = message.numbers[0]?.number ?? ""; // one click is enough for the first call
        }
        this.ahead = message.now - Date.now();
        this.state.value = message;
        break;
      case "levels":
        this.levels = message.hears;
        break;
      case "ladder":
        this.ladder.value = merge(this.ladder.value, message.entries);
        break;
      case "error":
        this.error.value = message.message;
        break;
    }
  }
}

/** Adds entries in order of seq, each once: after a reconnect the server sends the kept ones again, and after its restart it counts anew. */
export function merge(known: readonly LadderEntry[], more: readonly LadderEntry[]): readonly LadderEntry[] {
  const first = more[0];
  const last = known.at(-1);
  if (!first || !last) {
    return more.length > 0 ? more.slice(-mostEntries) : known;
  }
  const restarted = more.some((entry) => known.some((old) => old.seq === entry.seq && old.at !== entry.at));
  const fresh = restarted ? more : [...known, ...more.filter((entry) => entry.seq > last.seq)];
  return fresh.slice(-mostEntries);
}
