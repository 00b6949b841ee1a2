import type { Voice } from "./model.ts";
import processors from "./processors.ts?worklet";

/** Telephone sound ends here; what is above would come back as whistling at 8,000 samples a second. */
const cutoff = 3400;

/** Makes the voice of this page from its microphone and speaker. */
export function browserVoice(): Voice {
  let context: AudioContext | undefined;
  let playback: AudioWorkletNode | undefined;
  let microphone: MediaStream | undefined;

  const voice: Voice = { start, play, onFrame: () => undefined };
  return voice;

  async function start(): Promise<void> {
    await startPlayback();
    await startCapture();
  }

  function play(frame: ArrayBuffer): void {
    playback?.port.postMessage(frame, [frame]);
  }

  async function startPlayback(): Promise<void> {
    if (!context) {
      context = new AudioContext();
      const url = URL.createObjectURL(new Blob([processors], { type: "text/javascript" }));
      await context.audioWorklet.addModule(url);
      URL.revokeObjectURL(url);
      playback = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
      playback.connect(lowPass(context)).connect(context.destination);
    }
    await context.resume();
  }

  async function startCapture(): Promise<void> {
    if (!context || microphone?.active) {
      return;
    }
    microphone = await openMicrophone();
    const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    capture.port.onmessage = (event: MessageEvent<ArrayBuffer>) => voice.onFrame(event.data);
    context.createMediaStreamSource(microphone).connect(lowPass(context)).connect(lowPass(context)).connect(capture);
  }
}

function lowPass(context: AudioContext): BiquadFilterNode {
  return new BiquadFilterNode(context, { type: "lowpass", frequency: cutoff, Q: 0.7 });
}

async function openMicrophone(): Promise<MediaStream> {
  // Not there at all on pages that are neither HTTPS nor on localhost, whatever the types say.
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) {
    throw new Error("You can listen but not talk: the browser withholds the microphone because this page is neither HTTPS nor on localhost.");
  }
  try {
    return await devices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    const denied = error instanceof DOMException && error.name === "NotAllowedError";
    throw new Error(
      denied
        ? "You can listen but not talk: the microphone is blocked for this page. Allow it in the address bar, or let the phone play its tone."
        : "You can listen but not talk: no microphone found. Let the phone play its tone instead.",
    );
  }
}
