// The other end's voice: one audio element per path, on the chosen speaker, under
// the browser's rules for sound that nobody clicked for.

import { phoneError } from "../errors.ts";

/** True where the browser lets a page choose the speaker. */
export function canChooseSpeaker(): boolean {
  return typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
}

export class Speaker {
  readonly #players = new Set<HTMLAudioElement>();
  readonly #blockedChanged: (blocked: boolean) => void;
  #id = "";
  #blocked = false;

  readonly #newPlayer: () => HTMLAudioElement;

  constructor(blockedChanged: (blocked: boolean) => void, newPlayer: () => HTMLAudioElement = () => new Audio()) {
    this.#blockedChanged = blockedChanged;
    this.#newPlayer = newPlayer;
  }

  /** The chosen device; "" is the system's choice. */
  get id(): string {
    return this.#id;
  }

  /** Plays a stream until the returned function is called. */
  play(stream: MediaStream): () => void {
    const player = this.#newPlayer();
    player.autoplay = true;
    player.srcObject = stream;
    this.#players.add(player);
    if (this.#id !== "") void player.setSinkId(this.#id).catch(() => undefined); // unplugged: the system's choice
    void this.#start(player);
    return () => {
      this.#players.delete(player);
      player.pause();
      player.srcObject = null;
      if (this.#players.size === 0) this.#setBlocked(false);
    };
  }

  async #start(player: HTMLAudioElement): Promise<void> {
    try {
      await player.play();
    } catch (error) {
      if (error instanceof Error && error.name === "NotAllowedError" && this.#players.has(player)) this.#setBlocked(true);
    }
  }

  /** Rejects with "speaker_failed" and then changes nothing. */
  async choose(id: string): Promise<void> {
    if (!canChooseSpeaker()) throw phoneError("speaker_failed");
    try {
      await Promise.all([...this.#players].map((p) => p.setSinkId(id)));
    } catch (error) {
      throw phoneError("speaker_failed", error);
    }
    this.#id = id;
  }

  /** Plays what was blocked. Only a click makes this work. */
  async unlock(): Promise<void> {
    try {
      await Promise.all([...this.#players].map((p) => p.play()));
      this.#setBlocked(false);
    } catch (error) {
      throw phoneError("audio_blocked", error);
    }
  }

  #setBlocked(blocked: boolean): void {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.#blockedChanged(blocked);
  }
}
