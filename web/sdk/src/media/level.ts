// Loudness for meters.

// What a meter shows as empty: quieter than this is a silent room.
const floorDb = -60;

/** Maps samples of -1 to 1 to 0-1: linear in decibels from -60 dBFS to full scale. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const s of samples) sum += s * s;
  const rms = Math.sqrt(sum / Math.max(samples.length, 1));
  if (rms === 0) return 0;
  const db = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, 1 - db / floorDb));
}

/** Reads the loudness of tracks. One audio context serves the page; browsers limit their number. */
export class Meters {
  #context: AudioContext | undefined;

  /** Measures `track` until closed. */
  attach(track: MediaStreamTrack): Meter {
    this.#context ??= new AudioContext();
    void this.resume();
    return new Meter(this.#context, track);
  }

  /** An audio context sleeps until the user has clicked. */
  async resume(): Promise<void> {
    if (this.#context?.state === "suspended") await this.#context.resume();
  }
}

export class Meter {
  readonly #source: MediaStreamAudioSourceNode;
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;

  constructor(context: AudioContext, track: MediaStreamTrack) {
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = 1024; // 21 ms at 48 kHz
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source.connect(this.#analyser);
  }

  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return loudness(this.#samples);
  }

  close(): void {
    this.#source.disconnect();
  }
}
