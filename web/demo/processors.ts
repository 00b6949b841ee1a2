// Runs in the AudioWorklet's own scope: built apart and loaded from a Blob URL.
import { Downsampler, Upsampler } from "./resample.ts";
import { frameSamples } from "./wire.ts";

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Posts 20 ms frames of what comes in. */
class Capture extends AudioWorkletProcessor {
  private readonly down = new Downsampler(sampleRate);
  private frame = new Int16Array(frameSamples);
  private used = 0;

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    if (channel) {
      this.down.push(channel, (sample) => {
        this.frame[this.used++] = sample;
        if (this.used === frameSamples) {
          this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
          this.frame = new Int16Array(frameSamples);
          this.used = 0;
        }
      });
    }
    return true;
  }
}

/** Plays the frames that are posted to it. */
class Playback extends AudioWorkletProcessor {
  private readonly up = new Upsampler(sampleRate);

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ArrayBuffer>) => this.up.push(new Int16Array(event.data));
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channel = outputs[0]?.[0];
    if (channel) {
      this.up.fill(channel);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
registerProcessor("playback", Playback);
