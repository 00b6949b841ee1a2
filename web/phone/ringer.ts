import { effect, signal } from "@preact/signals";
import type { Model } from "./model.ts";

const deviceKey = "offhook.ringer";

/** Not in every browser yet: the choice of a speaker for synthesised sound. */
interface SinkContext extends AudioContext {
  setSinkId(id: string): Promise<void>;
}

function hasSinks(context: AudioContext): context is SinkContext {
  return "setSinkId" in context;
}

/** Whether the browser lets us ring on another speaker than the system's. */
export const canChooseRinger = typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;

/**
 * Rings for incoming calls, and plays the ringback tone for outgoing ones where
 * the server sends none. Both are synthesised. Browsers keep a page silent until
 * the user touched it; until then a call is only seen.
 */
export class Ringer {
  /** True while it should ring and the browser does not let it: a click is needed. */
  readonly silenced = signal(false);

  private context: AudioContext | undefined;
  private stopSound: (() => void) | undefined;
  private playing: "none" | "ring" | "ringback" = "none";

  /** The chosen speaker, "" for the system's. */
  get device(): string {
    return localStorage.getItem(deviceKey) ?? "";
  }

  async setDevice(id: string): Promise<void> {
    localStorage.setItem(deviceKey, id);
    await this.applyDevice();
  }

  /** Makes sound from now on follow the calls of model. */
  follow(model: Model): void {
    for (const gesture of ["pointerdown", "keydown"]) {
      addEventListener(gesture, () => void this.unlock(), { capture: true });
    }
    effect(() => {
      const current = model.current.value;
      if (model.ringing.value) {
        this.play(current ? "none" : "ring"); // in a call the screen says it; the ear is taken
      } else if (current?.call.direction === "outgoing" && current.state.kind === "ringing" && !current.state.early) {
        this.play("ringback");
      } else {
        this.play("none");
      }
    });
  }

  /** Rings once, to try the device. */
  async test(): Promise<void> {
    await this.unlock();
    this.play("ring");
    setTimeout(() => this.play("none"), 1600);
  }

  private async unlock(): Promise<void> {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") {
      await this.context.resume();
      await this.applyDevice();
    }
    this.silenced.value = false;
  }

  private async applyDevice(): Promise<void> {
    if (this.context && hasSinks(this.context)) {
      await this.context.setSinkId(this.device).catch(() => undefined); // unplugged: the system's speaker rings
    }
  }

  private play(what: "none" | "ring" | "ringback"): void {
    if (what === this.playing) {
      return;
    }
    this.playing = what;
    this.stopSound?.();
    this.stopSound = undefined;
    this.silenced.value = false;
    if (what === "none") {
      return;
    }
    this.context ??= new AudioContext();
    this.silenced.value = this.context.state === "suspended" && !navigator.userActivation?.hasBeenActive;
    this.stopSound = what === "ring" ? repeat(this.context, 3, ringPattern) : repeat(this.context, 6, ringbackPattern);
  }
}

type Pattern = (context: AudioContext, out: AudioNode, at: number) => void;

/** Plays pattern again and again, until the returned function is called. */
function repeat(context: AudioContext, seconds: number, pattern: Pattern): () => void {
  const out = context.createGain();
  out.connect(context.destination);
  const once = () => {
    if (context.state === "running") {
      pattern(context, out, context.currentTime + 0.05);
    }
  };
  once();
  const timer = setInterval(once, seconds * 1000);
  return () => {
    clearInterval(timer);
    out.gain.setTargetAtTime(0, context.currentTime, 0.02);
    setTimeout(() => out.disconnect(), 200);
  };
}

/** Two strokes on two small bells, a fifth apart. */
const ringPattern: Pattern = (context, out, at) => {
  for (const stroke of [0, 0.42]) {
    for (let beat = 0; beat < 5; beat++) {
      bell(context, out, beat % 2 === 0 ? 880 : 1318.5, at + stroke * 2 + beat * 0.085, 0.16);
    }
  }
};

/** The ringback tone of North America: 440 and 480 Hz, two seconds. */
const ringbackPattern: Pattern = (context, out, at) => {
  for (const frequency of [440, 480]) {
    tone(context, out, frequency, at, 2, 0.05);
  }
};

function bell(context: AudioContext, out: AudioNode, frequency: number, at: number, volume: number): void {
  for (const [partial, share] of [[1, 1], [2.76, 0.35], [5.4, 0.12]] as const) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = frequency * partial;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(volume * share, at + 0.004);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.5 / partial);
    oscillator.connect(gain).connect(out);
    oscillator.start(at);
    oscillator.stop(at + 0.6);
  }
}

function tone(context: AudioContext, out: AudioNode, frequency: number, at: number, seconds: number, volume: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(volume, at + 0.02);
  gain.gain.setValueAtTime(volume, at + seconds - 0.03);
  gain.gain.linearRampToValueAtTime(0, at + seconds);
  oscillator.connect(gain).connect(out);
  oscillator.start(at);
  oscillator.stop(at + seconds);
}
