/** The rate on the wire. */
export const wireRate = 8000;

/** Turns samples of any rate of at least 8,000 Hz into wire samples. It averages what falls into one wire sample, so feed it low-passed sound. */
export class Downsampler {
  private sum = 0;
  private count = 0;
  private phase = 0;
  private readonly step: number;

  constructor(rate: number) {
    this.step = wireRate / rate;
  }

  /** Calls out for each finished sample, -32768 to 32767. */
  push(samples: Float32Array, out: (sample: number) => void): void {
    for (const sample of samples) {
      this.sum += sample;
      this.count++;
      this.phase += this.step;
      if (this.phase >= 1) {
        this.phase -= 1;
        const mean = this.sum / this.count;
        out(Math.round(Math.max(-1, Math.min(1, mean)) * 32767));
        this.sum = 0;
        this.count = 0;
      }
    }
  }
}

/** How much sound must wait before playing begins, and how much may wait, in wire samples. */
const startAt = 480;
const mostWaiting = 3200;

/** Keeps wire samples and gives them out at another rate, with straight lines between them. Silence while it has too few. */
export class Upsampler {
  private readonly queue: number[] = [];
  private playing = false;
  private position = 0;
  private readonly step: number;

  constructor(rate: number) {
    this.step = wireRate / rate;
  }

  push(samples: Int16Array): void {
    for (const sample of samples) {
      this.queue.push(sample / 32768);
    }
    if (this.queue.length > mostWaiting) {
      this.queue.splice(0, this.queue.length - startAt); // late sound is worse than a gap
    }
  }

  fill(out: Float32Array): void {
    if (!this.playing) {
      this.playing = this.queue.length >= startAt;
    }
    for (let i = 0; i < out.length; i++) {
      const a = this.queue[0];
      const b = this.queue[1];
      if (!this.playing || a === undefined || b === undefined) {
        this.playing = false;
        out[i] = 0;
        continue;
      }
      out[i] = a + (b - a) * this.position;
      this.position += this.step;
      if (this.position >= 1) {
        this.position -= 1;
        this.queue.shift();
      }
    }
  }
}
