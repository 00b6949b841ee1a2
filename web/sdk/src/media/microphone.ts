// One microphone, opened when the first path needs it and closed with the last.
// Each path has a clone of its track, so that calls are muted one by one.

import { microphoneError, phoneError } from "../errors.ts";

/** One user of the microphone. */
export interface MicrophoneUse {
  readonly track: MediaStreamTrack;
  /** Another microphone was chosen: send this track from now on. */
  replaced: (track: MediaStreamTrack) => void;
  mute(on: boolean): void;
  release(): void;
}

interface Use extends MicrophoneUse {
  track: MediaStreamTrack;
  muted: boolean;
}

const constraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } as const;

/** Opens a microphone; "" is the system's choice. Rejects with a microphone error. */
async function openTrack(id: string): Promise<MediaStreamTrack> {
  // Absent on pages without HTTPS.
  if (globalThis.navigator?.mediaDevices?.getUserMedia === undefined) throw phoneError("microphone_insecure");
  try {
    const audio = id === "" ? constraints : { ...constraints, deviceId: { exact: id } };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const track = stream.getAudioTracks()[0];
    if (track === undefined) throw phoneError("microphone_missing");
    return track;
  } catch (error) {
    throw microphoneError(error);
  }
}

export class Microphone {
  readonly #uses = new Set<Use>();
  readonly #lost: (error: unknown) => void;
  #source: Promise<MediaStreamTrack> | undefined;
  #id = "";

  /** `lost` hears of a microphone that vanished when no other could take its place. */
  constructor(lost: (error: unknown) => void) {
    this.#lost = lost;
  }

  /** The chosen device; "" is the system's choice. */
  get id(): string {
    return this.#id;
  }

  /** True if opening asks nobody. Browsers that do not tell count as asking. */
  async allowed(): Promise<boolean> {
    if (this.#source !== undefined) return true;
    try {
      // Not in the list of names that TypeScript knows.
      const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
      return status.state === "granted";
    } catch {
      return false;
    }
  }

  /** Opens and closes the microphone, so that the user is asked now. */
  async prepare(): Promise<void> {
    if (this.#source !== undefined) return;
    (await openTrack(this.#id)).stop();
  }

  async use(): Promise<MicrophoneUse> {
    this.#source ??= this.#open(this.#id);
    const source = this.#source;
    let original: MediaStreamTrack;
    try {
      original = await source;
    } catch (error) {
      if (this.#source === source) this.#source = undefined;
      throw error;
    }
    const use: Use = {
      track: original.clone(),
      muted: false,
      replaced: () => undefined,
      mute: (on) => {
        use.muted = on;
        use.track.enabled = !on;
      },
      release: () => this.#release(use),
    };
    this.#uses.add(use);
    return use;
  }

  /** Chooses another device; a failure leaves the old one in use. */
  async choose(id: string): Promise<void> {
    if (this.#source === undefined) {
      this.#id = id;
      return;
    }
    const track = await this.#open(id);
    this.#id = id;
    if (this.#uses.size === 0) {
      track.stop(); // the last call ended meanwhile
      return;
    }
    const old = this.#source;
    this.#source = Promise.resolve(track);
    for (const use of this.#uses) {
      use.track.stop();
      use.track = track.clone();
      use.track.enabled = !use.muted;
      use.replaced(use.track);
    }
    (await old).stop();
    if (this.#uses.size === 0) this.#close();
  }

  async #open(id: string): Promise<MediaStreamTrack> {
    const track = await openTrack(id);
    // Unplugged: go on with whatever the system has.
    track.onended = () => {
      if (this.#uses.size > 0) this.choose("").catch(this.#lost);
    };
    return track;
  }

  #release(use: Use): void {
    use.track.stop();
    if (this.#uses.delete(use) && this.#uses.size === 0) this.#close();
  }

  // The browser's recording mark goes out.
  #close(): void {
    const source = this.#source;
    this.#source = undefined;
    source?.then(
      (track) => track.stop(),
      () => undefined,
    );
  }
}
