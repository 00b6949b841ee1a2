import assert from "node:assert/strict";
import { test } from "node:test";
import type { Link, LinkEvents } from "../link.ts";
import { latestCall } from "../latest-call.ts";
import { merge, Model, type Voice } from "../model.ts";
import { Downsampler, Upsampler, wireRate } from "../resample.ts";
import type { Command, DemoPhone, LadderEntry, State } from "../wire.ts";

function phone(change: Partial<DemoPhone>): DemoPhone {
  return { id: "visitor", kind: "mobile", name: "Your mobile", number: "", via: "", visitor: true, state: "idle", sound: "voice", yours: true, ...change };
}

function state(...phones: DemoPhone[]): State {
  return {
    type: "state", now: Date.now() + 60_000, phones, softphones: [], lanes: [],
    numbers: [{ number: "12995558888", name: "Front desk", rings: "" }],
    callers: [{ number: "12995550100", name: "" }, { number: "12995550199", name: "" }],
  };
}

function setUp(refusal?: Error) {
  const commands: Command[] = [];
  const sent: ArrayBuffer[] = [];
  let events: LinkEvents | undefined;
  const voice: Voice = { start: () => (refusal ? Promise.reject(refusal) : Promise.resolve()), play: () => undefined, onFrame: () => undefined };
  const connect = (given: LinkEvents): Link => {
    events = given;
    return { command: (command) => commands.push(command), audio: (frame) => sent.push(frame) };
  };
  const model = new Model(connect, voice);
  assert.ok(events);
  return { model, voice, commands, sent, server: events as LinkEvents };
}

test("a call names the caller that was chosen, and what was typed as digits", async () => {
  const { model, commands, server } = setUp();
  server.message(state(phone({})));
  assert.equal(model.to.value, "12995558888");
  await model.call(phone({}), "+1 (299) 555-8888");
  model.from.value = "12995550199";
  await model.call(phone({}), "12995558888");
  await model.call(phone({ id: "desk-1", visitor: false }), "101");
  await model.call(phone({}), " ");
  assert.deepEqual(commands, [
    { type: "call", phone: "visitor", to: "12995558888", from: "12995550100" },
    { type: "call", phone: "visitor", to: "12995558888", from: "12995550199" },
    { type: "call", phone: "desk-1", to: "101" },
  ]);
});

test("without microphone the call goes on and the page says why nobody hears", async () => {
  const { model, commands, server } = setUp(new Error("no microphone"));
  server.message(state(phone({})));
  await model.call(phone({}), "12995558888");
  assert.equal(commands.length, 1);
  assert.equal(model.voiceError.value, "no microphone");
});

test("the microphone is sent only while a phone of this page is in a call", () => {
  const { voice, sent, server } = setUp();
  const frame = new ArrayBuffer(320);
  const tries: readonly (readonly [DemoPhone, boolean])[] = [
    [phone({}), false],
    [phone({ state: "calling" }), true],
    [phone({ state: "talking" }), true],
    [phone({ state: "talking", yours: false }), false],
  ];
  for (const [who, want] of tries) {
    sent.length = 0;
    server.message(state(who));
    voice.onFrame(frame);
    assert.equal(sent.length === 1, want, `${who.state}, yours ${who.yours}`);
  }
});

test("ages use the server's clock, levels are decibels", () => {
  const { model, server } = setUp();
  server.message(state(phone({})));
  assert.ok(Math.abs(model.age(Date.now() + 50_000) - 10_000) < 100);
  assert.equal(model.age(Date.now() + 90_000), 0);
  server.message({ type: "levels", hears: { visitor: -20, "desk-1": -90 } });
  assert.ok(Math.abs(model.hears("visitor") - 0.1) < 1e-9);
  assert.deepEqual([model.hears("desk-1"), model.hears("nobody")], [0, 0]);
});

test("ladder entries are kept once, in order, also over a reconnect and a restart of the server", () => {
  const entry = (seq: number, at = seq): LadderEntry => ({ seq, at, call: "c", from: "a", to: "b", kind: "request", label: "INVITE", note: "" });
  const seqs = (entries: readonly LadderEntry[]) => entries.map((e) => e.seq);
  assert.deepEqual(seqs(merge([], [entry(1), entry(2)])), [1, 2]);
  assert.deepEqual(seqs(merge([entry(1), entry(2)], [entry(1), entry(2), entry(3)])), [1, 2, 3]);
  assert.deepEqual(seqs(merge([entry(1), entry(2)], [])), [1, 2]);
  assert.deepEqual(seqs(merge([entry(1), entry(2)], [entry(5)])), [1, 2, 5]);
  assert.deepEqual(seqs(merge([entry(1), entry(2)], [entry(1, 900)])), [1]);
});

test("the newest call is all legs that overlap in time, and none of the call before", () => {
  const legs: [call: string, at: number][] = [
    ["old", 0], ["old-desk", 100], ["old", 5000],
    ["caller", 9000], ["desk-1", 9010], ["desk-2", 9011], ["desk-1", 12_000], ["desk-2", 12_001], ["caller", 12_002], ["caller", 40_000], ["desk-1", 40_001],
  ];
  const entries = legs.map(([call, at], i): LadderEntry => ({ seq: i, at, call, from: "a", to: "b", kind: "request", label: "", note: "" }));
  assert.deepEqual(latestCall(entries), entries.slice(3));
  assert.deepEqual(latestCall(entries.slice(0, 3)), entries.slice(0, 3));
  assert.deepEqual(latestCall([]), []);
});

test("a tone survives both resamplers in pitch and level", () => {
  for (const rate of [44_100, 48_000]) {
    const down = new Downsampler(rate);
    const up = new Upsampler(rate);
    const input = new Float32Array(rate).map((_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / rate));
    const wire: number[] = [];
    down.push(input, (sample) => wire.push(sample));
    assert.ok(Math.abs(wire.length - wireRate) <= 1, `${wire.length} samples a second`);
    const output = new Float32Array(rate / 5);
    up.push(Int16Array.from(wire.slice(0, 3000)));
    up.fill(output);
    const crossings = output.slice(1).filter((v, i) => v >= 0 && (output[i] ?? 0) < 0).length;
    assert.ok(Math.abs(crossings - 88) <= 2, `${crossings} periods in 200 ms`);
    const peak = output.reduce((most, v) => Math.max(most, v), 0);
    assert.ok(peak > 0.45 && peak < 0.52, `peak ${peak}`);
  }
});

test("playing waits for some sound, falls silent without it, and drops what is late", () => {
  const up = new Upsampler(8000);
  const out = new Float32Array(160);
  up.push(new Int16Array(200).fill(16384));
  up.fill(out);
  assert.equal(out[0], 0);
  up.push(new Int16Array(300).fill(16384));
  up.fill(out);
  assert.equal(out[0], 0.5);
  up.push(new Int16Array(8000).fill(-16384)); // a second at once
  const long = new Float32Array(1000);
  up.fill(long);
  assert.equal(long[100], -0.5);
  assert.equal(long[999], 0);
});
