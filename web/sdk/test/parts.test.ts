import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoff } from "../src/backoff.ts";
import { Emitter } from "../src/emitter.ts";
import { microphoneError } from "../src/errors.ts";
import { deviceLabel } from "../src/label.ts";
import { loudness } from "../src/media/level.ts";
import { Microphone } from "../src/media/microphone.ts";
import { readStats } from "../src/media/stats.ts";
import { outcomeOf } from "../src/outcome.ts";
import { socketURL } from "../src/transport.ts";
import type { CallState, OutcomeKind } from "../src/types.ts";

test("backoff doubles, is bounded and spread", () => {
  assert.deepEqual([1, 2, 3, 6, 60].map((n) => backoff(n, 1)), [500, 1000, 2000, 15000, 15000]);
  assert.equal(backoff(1, 0), 250);
});

test("socketURL", () => {
  const base = "https://pbx.example.com/phone/?x=1#y";
  assert.equal(socketURL("/ws", base), "wss://pbx.example.com/ws");
  assert.equal(socketURL("http://127.0.0.1:8080", base), "ws://127.0.0.1:8080/ws");
  assert.equal(socketURL("wss://other.example/edge/ws", base), "wss://other.example/edge/ws");
});

test("microphone errors", () => {
  const named = (name: string): Error => Object.assign(new Error(name), { name });
  assert.equal(microphoneError(named("NotAllowedError")).kind, "microphone_denied");
  assert.equal(microphoneError(named("NotFoundError")).kind, "microphone_missing");
  assert.equal(microphoneError(named("OverconstrainedError")).kind, "microphone_missing");
  assert.equal(microphoneError(named("NotReadableError")).kind, "microphone_busy");
  assert.match(microphoneError(named("NotAllowedError")).message, /^The microphone is not allowed\./);
});

test("a microphone that is chosen while the last call ends is closed", async () => {
  const opened: { stopped: boolean }[] = [];
  let give: (() => void) | undefined;
  const newTrack = (): object => {
    const track = { stopped: false, clone: newTrack, stop: () => (track.stopped = true) };
    opened.push(track);
    return track;
  };
  const getUserMedia = async (): Promise<object> => {
    if (opened.length > 0) await new Promise<void>((resolve) => (give = resolve)); // the second asks the user
    const track = newTrack();
    return { getAudioTracks: () => [track] };
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: { mediaDevices: { getUserMedia } } });
  try {
    const microphone = new Microphone((error) => assert.fail(String(error)));
    const use = await microphone.use();
    const chosen = microphone.choose("headset");
    use.release();
    give?.();
    await chosen;
    assert.equal(microphone.id, "headset");
    assert.deepEqual(opened.map((track) => track.stopped), [true, true, true]);
  } finally {
    Reflect.deleteProperty(globalThis, "navigator");
    if (before !== undefined) Object.defineProperty(globalThis, "navigator", before);
  }
});

test("loudness", () => {
  assert.equal(loudness(new Float32Array(16)), 0);
  assert.equal(loudness(new Float32Array(16).fill(1)), 1);
  assert.equal(loudness(new Float32Array(16).fill(0.0001)), 0);
  const half = loudness(new Float32Array(16).fill(10 ** (-30 / 20)));
  assert.ok(Math.abs(half - 0.5) < 0.001, String(half));
});

test("deviceLabel", () => {
  assert.equal(deviceLabel("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"), "Chrome on Linux");
  assert.equal(deviceLabel("Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36 Edg/156.0"), "Edge on Android");
  assert.equal(deviceLabel(""), "Browser");
});

test("a listener that unsubscribes while called disturbs nobody", () => {
  const emitter = new Emitter<{ tick: number }>();
  const seen: string[] = [];
  const off = emitter.on("tick", () => {
    off();
    seen.push("first");
  });
  emitter.on("tick", () => seen.push("second"));
  emitter.emit("tick", 1);
  emitter.emit("tick", 2);
  assert.deepEqual(seen, ["first", "second", "second"]);
});

describe("outcomes", () => {
  const table: ["incoming" | "outgoing", CallState["kind"], number, string, OutcomeKind][] = [
    ["outgoing", "active", 16, "none", "completed"],
    ["outgoing", "calling", 1, "none", "unreachable"],
    ["outgoing", "ringing", 17, "none", "busy"],
    ["outgoing", "ringing", 19, "none", "no_answer"],
    ["outgoing", "ringing", 19, "timeout", "no_answer"],
    ["outgoing", "ringing", 21, "none", "declined"],
    ["outgoing", "calling", 57, "none", "not_allowed"],
    ["outgoing", "active", 102, "no_media", "no_media"],
    ["outgoing", "active", 57, "limit", "limit"],
    ["outgoing", "active", 102, "none", "failed"],
    ["incoming", "ringing", 16, "caller_gone", "cancelled"],
    ["incoming", "ringing", 19, "timeout", "missed"],
    ["incoming", "connecting", 26, "answered_elsewhere", "answered_elsewhere"],
    ["incoming", "active", 16, "from the future", "completed"],
  ];
  for (const [direction, state, cause, reason, want] of table) {
    test(`${direction} ${state} ${cause} ${reason}`, () => {
      assert.equal(outcomeOf(direction, state, cause, reason).kind, want);
    });
  }
});

test("statistics", () => {
  const stats = readStats([
    { type: "codec", id: "c1", mimeType: "audio/opus" },
    { type: "inbound-rtp", kind: "audio", codecId: "c1", packetsReceived: 100, packetsLost: 3, jitter: 0.004, totalSamplesReceived: 1000, concealedSamples: 10 },
    { type: "outbound-rtp", kind: "audio", codecId: "c1", packetsSent: 90 },
    { type: "candidate-pair", nominated: true, state: "succeeded", currentRoundTripTime: 0.02 },
  ]);
  assert.deepEqual(stats, { codec: "opus", packetsSent: 90, packetsReceived: 100, packetsLost: 3, jitterMs: 4, roundTripMs: 20, concealedRatio: 0.01 });
  assert.equal(readStats([]).roundTripMs, undefined);
});
