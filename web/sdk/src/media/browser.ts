// The media driver of real browsers.

import { phoneError } from "../errors.ts";
import type { AudioDevice, AudioDevices, CallStats, LevelSide } from "../types.ts";
import type { MediaDriver, MediaDriverEvents, MediaPath, MediaPathEvents } from "./driver.ts";
import { type Meter, Meters } from "./level.ts";
import { Microphone, type MicrophoneUse } from "./microphone.ts";
import { canChooseSpeaker, Speaker } from "./speaker.ts";
import { readStats } from "./stats.ts";

export class BrowserMedia implements MediaDriver {
  readonly #meters = new Meters();
  readonly #microphone = new Microphone((error) => this.#events?.error(error));
  readonly #speaker: Speaker;
  #events: MediaDriverEvents | undefined;
  #microphones: readonly AudioDevice[] = [];
  #speakers: readonly AudioDevice[] = [];

  /** `newPlayer` makes what plays the other end's voice; an element of its own for each call by default. */
  constructor(newPlayer?: () => HTMLAudioElement) {
    this.#speaker = new Speaker((blocked) => this.#events?.audioBlocked(blocked), newPlayer);
  }

  start(events: MediaDriverEvents): void {
    this.#events = events;
    globalThis.navigator?.mediaDevices?.addEventListener("devicechange", () => void this.#list());
    void this.#list();
  }

  get devices(): AudioDevices {
    return {
      microphones: this.#microphones,
      speakers: this.#speakers,
      microphone: this.#microphone.id,
      speaker: this.#speaker.id,
      canChooseSpeaker: canChooseSpeaker(),
    };
  }

  async #list(): Promise<void> {
    const all = (await globalThis.navigator?.mediaDevices?.enumerateDevices()) ?? [];
    const of = (kind: MediaDeviceKind): AudioDevice[] =>
      // "default" repeats a device that has an entry of its own; before permission ids are empty.
      all.filter((d) => d.kind === kind && d.deviceId !== "" && d.deviceId !== "default").map((d) => ({ id: d.deviceId, label: d.label }));
    this.#microphones = of("audioinput");
    this.#speakers = of("audiooutput");
    this.#events?.devices(this.devices);
  }

  microphoneAllowed(): Promise<boolean> {
    return this.#microphone.allowed();
  }

  async prepareMicrophone(): Promise<void> {
    await this.#microphone.prepare();
    await this.#list(); // names of devices are told only now
  }

  async setMicrophone(id: string): Promise<void> {
    await this.#microphone.choose(id);
    this.#events?.devices(this.devices);
  }

  async setSpeaker(id: string): Promise<void> {
    await this.#speaker.choose(id);
    this.#events?.devices(this.devices);
  }

  async unlockAudio(): Promise<void> {
    await Promise.all([this.#speaker.unlock(), this.#meters.resume()]);
  }

  async openPath(events: MediaPathEvents, iceServers: readonly RTCIceServer[]): Promise<MediaPath> {
    const use = await this.#microphone.use();
    if (this.#microphones.every((d) => d.label === "")) void this.#list();
    try {
      return new BrowserPath(use, this.#speaker, this.#meters, events, iceServers);
    } catch (error) {
      use.release();
      throw phoneError("media_failed", error);
    }
  }
}

class BrowserPath implements MediaPath {
  readonly #pc: RTCPeerConnection;
  readonly #use: MicrophoneUse;
  readonly #sender: RTCRtpSender;
  readonly #speaker: Speaker;
  readonly #meters: Meters;
  #stopPlaying: () => void = () => undefined;
  #local: Meter | undefined;
  #remote: Meter | undefined;
  #remoteTrack: MediaStreamTrack | undefined;

  constructor(use: MicrophoneUse, speaker: Speaker, meters: Meters, events: MediaPathEvents, iceServers: readonly RTCIceServer[]) {
    this.#use = use;
    this.#speaker = speaker;
    this.#meters = meters;
    this.#pc = new RTCPeerConnection({ iceServers: [...iceServers], bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
    this.#sender = this.#pc.addTransceiver(use.track, { direction: "sendrecv" }).sender;
    use.replaced = (track) => this.#replace(track);
    this.#pc.ontrack = ({ track }) => this.#play(track);
    this.#pc.onconnectionstatechange = () => {
      if (this.#pc.connectionState === "connected") events.up();
      if (this.#pc.connectionState === "disconnected" || this.#pc.connectionState === "failed") events.interrupted();
    };
  }

  #play(track: MediaStreamTrack): void {
    if (track === this.#remoteTrack) return;
    this.#stopPlaying();
    this.#remote?.close();
    this.#remote = undefined;
    this.#remoteTrack = track;
    this.#stopPlaying = this.#speaker.play(new MediaStream([track]));
  }

  #replace(track: MediaStreamTrack): void {
    this.#local?.close();
    this.#local = undefined;
    // No renegotiation: the same codec, another source.
    void this.#sender.replaceTrack(track).catch(() => undefined); // closed meanwhile
  }

  async offer(restart: boolean): Promise<string> {
    try {
      await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart: restart }));
      // No candidates: the server learns ours from our checks.
      return this.#pc.localDescription?.sdp ?? "";
    } catch (error) {
      throw phoneError("media_failed", error);
    }
  }

  async answer(sdp: string): Promise<void> {
    try {
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      throw phoneError("media_failed", error);
    }
  }

  mute(on: boolean): void {
    this.#use.mute(on);
  }

  sendDigits(digits: string): boolean {
    const dtmf = this.#sender.dtmf;
    if (dtmf === null || !dtmf.canInsertDTMF) return false;
    // The buffer holds what is still to be sent: append.
    dtmf.insertDTMF(dtmf.toneBuffer + digits, 120, 80);
    return true;
  }

  async stats(): Promise<CallStats> {
    const report = await this.#pc.getStats();
    const entries: Record<string, unknown>[] = [];
    report.forEach((entry: Record<string, unknown>) => entries.push(entry));
    return readStats(entries);
  }

  get connection(): RTCPeerConnection {
    return this.#pc;
  }

  level(side: LevelSide): number {
    if (side === "local") {
      if (!this.#use.track.enabled) return 0;
      this.#local ??= this.#meters.attach(this.#use.track);
      return this.#local.read();
    }
    if (this.#remoteTrack === undefined) return 0;
    this.#remote ??= this.#meters.attach(this.#remoteTrack);
    return this.#remote.read();
  }

  close(): void {
    this.#pc.onconnectionstatechange = null;
    this.#pc.ontrack = null;
    this.#stopPlaying();
    this.#local?.close();
    this.#remote?.close();
    this.#pc.close();
    this.#use.release();
  }
}
