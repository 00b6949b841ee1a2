import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { createPhone } from "../src/index.ts";
import type { CallState, IncomingCall, Outcome, Phone, PhoneState } from "../src/index.ts";
import { FakeMedia, FakeServer, type Message, settle } from "./fakes.ts";

let server: FakeServer;
let media: FakeMedia;
let phone: Phone;
let states: PhoneState["kind"][];

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  server = new FakeServer();
  media = new FakeMedia();
  phone = createPhone({ label: "test", transport: server.open, media });
  states = [];
  phone.on("state", (s) => states.push(s.kind));
});
afterEach(() => mock.timers.reset());

/** Logs in; the promise of connect is done. */
async function online(): Promise<void> {
  const connected = phone.connect("https://pbx.example.com", { user: "sales", password: "secret" });
  await settle();
  await server.socket.open();
  await server.socket.welcome(server.socket.take("login"));
  await connected;
}

async function ring(leg: string): Promise<IncomingCall> {
  let call: IncomingCall | undefined;
  const off = phone.on("incoming", (c) => (call = c));
  await server.socket.say({ type: "incoming", call: wire(leg) });
  off();
  assert.ok(call !== undefined, "no incoming event");
  await server.socket.reply(server.socket.take("ringing"));
  return call;
}

function wire(leg: string, fields: Message = {}): Message {
  return { leg, direction: "incoming", state: "ringing", from: { number: "12995550100" }, to: { number: "12995558888" }, ...fields };
}

/** Answers call `leg` and brings its audio up. */
async function answered(leg: string): Promise<IncomingCall> {
  const call = await ring(leg);
  const done = call.answer();
  await settle();
  await server.socket.reply(server.socket.take("accept"));
  const offer = server.socket.take("media");
  assert.equal(offer["leg"], leg);
  await server.socket.reply(offer, { sdp: "answer" });
  await done;
  media.path.events.up();
  await server.socket.say({ type: "up", leg });
  assert.equal(call.state.kind, "active");
  return call;
}

describe("login", () => {
  test("sends credentials in the first message and never in the URL", async () => {
    const connected = phone.connect("https://pbx.example.com", { user: "sales", password: "secret" });
    await settle();
    assert.equal(server.socket.url, "wss://pbx.example.com/ws");
    await server.socket.open();
    const login = server.socket.take("login");
    assert.deepEqual({ ...login, id: 0 }, { type: "login", id: 0, protocol: 1, label: "test", user: "sales", password: "secret" });
    await server.socket.welcome(login);
    await connected;
    assert.deepEqual(states, ["connecting", "online"]);
  });

  test("a call uses the newest relays", async () => {
    await online();
    assert.deepEqual(media.iceServers, []);
    const relay = { urls: ["turn:pbx.example.com:3478"], username: "1:sales", credential: "secret" };
    await server.socket.say({ type: "ice_servers", ice_servers: [relay] });
    await answered("a1");
    assert.deepEqual(media.iceServers, [relay]);
  });

  test("a wrong password is final", async () => {
    const connected = phone.connect("/ws", { user: "sales", password: "wrong" });
    const refused = assert.rejects(connected, { kind: "login_refused" });
    await settle();
    await server.socket.open();
    await server.socket.refuse(server.socket.take("login"), "unauthorized");
    await refused;
    mock.timers.tick(60_000);
    await settle();
    assert.equal(server.sockets.length, 1);
    assert.deepEqual(states, ["connecting", "offline"]);
  });

  test("a server that cannot be reached is tried again, with fresh credentials", async () => {
    let asked = 0;
    const connected = phone.connect("/ws", async () => ({ token: `token ${++asked}` }));
    await settle();
    await server.socket.open();
    assert.equal(server.socket.take("login")["token"], "token 1");
    await server.socket.close(1006);
    mock.timers.tick(20_000);
    await server.socket.open();
    const login = server.socket.take("login");
    assert.equal(login["token"], "token 2");
    await server.socket.welcome(login);
    await connected;
  });

  // As a page does that is mounted, unmounted and mounted again at once.
  test("of several logins at once the last one holds", async () => {
    const login = (token: string): Promise<void> => phone.connect("/ws", { token });
    const first = assert.rejects(login("first"), { kind: "not_connected" });
    const left = phone.disconnect();
    const second = login("second");
    await Promise.all([first, left]);
    await settle();
    assert.equal(server.sockets.length, 1);
    await server.socket.open();
    const sent = server.socket.take("login");
    assert.equal(sent["token"], "second");
    await server.socket.welcome(sent);
    await second;

    const third = assert.rejects(login("third"), { kind: "not_connected" });
    const last = phone.disconnect();
    await settle();
    await server.socket.reply(server.socket.take("logout"));
    await Promise.all([third, last]);
    mock.timers.tick(60_000);
    assert.equal(server.sockets.length, 1);
    assert.equal(phone.state.kind, "offline");
  });

  test("another tab that took over is not fought", async () => {
    await online();
    await server.socket.close(4409);
    mock.timers.tick(60_000);
    assert.equal(server.sockets.length, 1);
    assert.ok(phone.state.kind === "offline" && phone.state.error?.kind === "taken_over");
  });

  test("unknown events and bad frames are ignored", async () => {
    await online();
    await server.socket.say({ type: "from_the_future", leg: "x" });
    await server.socket.raw("no json");
    await server.socket.raw("null");
    assert.equal(phone.state.kind, "online");
  });

  test("logout tells the server", async () => {
    await online();
    const done = phone.disconnect();
    await settle();
    await server.socket.reply(server.socket.take("logout"));
    await done;
    assert.equal(server.socket.closeCode, 1000);
    assert.equal(phone.state.kind, "offline");
  });
});

describe("incoming call", () => {
  test("is accepted before media when the microphone is allowed", async () => {
    await online();
    const call = await answered("b1");
    assert.equal(call.audio, "up");
    assert.deepEqual(media.path.answers, ["answer"]);
    await call.hangUp();
    await settle();
    assert.equal(server.socket.take("hangup")["leg"], "b1");
    server.socket.take("release");
    assert.ok(media.path.closed);
    assert.deepEqual(phone.calls, []);
  });

  test("is not taken by a user who denies the microphone", async () => {
    await online();
    media.allowed = false;
    media.failure = "microphone_denied";
    const call = await ring("b1");
    await assert.rejects(call.answer(), { kind: "microphone_denied" });
    assert.deepEqual(server.socket.sent, []);
    assert.equal(call.state.kind, "ringing");
    media.failure = undefined; // allowed it after all
    void call.answer();
    await settle();
    server.socket.take("accept");
  });

  test("is given back when the allowed microphone fails", async () => {
    await online();
    media.failure = "microphone_busy";
    const call = await ring("b1");
    const failed = assert.rejects(call.answer(), { kind: "microphone_busy" });
    await settle();
    await server.socket.reply(server.socket.take("accept"));
    await failed;
    assert.equal(server.socket.take("hangup")["leg"], "b1");
  });

  test("answers once for two clicks", async () => {
    await online();
    const call = await ring("b1");
    void call.answer();
    void call.answer();
    await settle();
    server.socket.take("accept");
    assert.deepEqual(server.socket.sent, []);
  });

  const ends: [event: Message, kind: Outcome["kind"], elsewhere: boolean][] = [
    [{ type: "handled", cause: 26, reason: "answered_elsewhere" }, "answered_elsewhere", true],
    [{ type: "ended", cause: 16, reason: "caller_gone" }, "cancelled", false],
    [{ type: "ended", cause: 19, reason: "timeout" }, "missed", false],
    [{ type: "ended", cause: 21, reason: "declined_elsewhere" }, "declined_elsewhere", false],
    [{ type: "ended", cause: 41, reason: "shutdown" }, "failed", false],
  ];
  for (const [event, kind, elsewhere] of ends) {
    test(`ends as ${kind}`, async () => {
      await online();
      const call = await ring("b1");
      const told: IncomingCall[] = [];
      phone.on("answeredElsewhere", (c) => told.push(c));
      const outcomes: Outcome[] = [];
      call.on("ended", (o) => outcomes.push(o));
      await server.socket.say({ ...event, leg: "b1" });
      await server.socket.say({ ...event, leg: "b1" });
      assert.deepEqual(outcomes.map((o) => o.kind), [kind]);
      assert.deepEqual(told, elsewhere ? [call] : []);
      await assert.rejects(call.answer(), { kind: "call_ended" });
    });
  }

  test("decline", async () => {
    await online();
    const call = await ring("b1");
    await call.decline();
    assert.equal(server.socket.take("decline")["leg"], "b1");
    assert.ok(call.state.kind === "ended" && call.state.outcome.kind === "declined");
  });
});

describe("outgoing call", () => {
  test("negotiates first, so that ringback is heard, and copes with events before the reply", async () => {
    await online();
    const seen: CallState["kind"][] = [];
    const call = await phone.call("12995551111");
    call.on("state", (s) => seen.push(s.kind));
    await settle();
    const offer = server.socket.take("media");
    assert.equal(offer["leg"], undefined);
    await server.socket.reply(offer, { sdp: "answer" });
    const request = server.socket.take("call");
    assert.equal(request["path"], offer["path"]);
    await server.socket.say({ type: "ringing", leg: "d1", early: true });
    await server.socket.reply(request, { leg: "d1" });
    assert.equal(call.id, "d1");
    await server.socket.say({ type: "answered", leg: "d1" });
    await server.socket.say({ type: "up", leg: "d1" });
    await server.socket.say({ type: "ended", leg: "d1", request: request["id"], cause: 16, reason: "none" });
    assert.deepEqual(seen, ["ringing", "connecting", "active", "ended"]);
  });

  test("busy", async () => {
    await online();
    const call = await phone.call("5");
    await settle();
    await server.socket.reply(server.socket.take("media"), { sdp: "answer" });
    const request = server.socket.take("call");
    await server.socket.say({ type: "ended", leg: "d1", request: request["id"], cause: 17, reason: "none" });
    assert.ok(call.state.kind === "ended" && call.state.outcome.kind === "busy");
  });

  test("hung up before the server gave it a leg", async () => {
    await online();
    const call = await phone.call("5");
    await settle();
    await server.socket.reply(server.socket.take("media"), { sdp: "answer" });
    const request = server.socket.take("call");
    await call.hangUp();
    server.socket.take("release");
    await server.socket.reply(request, { leg: "d1" });
    assert.equal(server.socket.take("hangup")["leg"], "d1");
  });

  test("without a microphone or connection there is none", async () => {
    await assert.rejects(phone.call("5"), { kind: "not_connected" });
    await online();
    media.failure = "microphone_missing";
    await assert.rejects(phone.call("5"), { kind: "microphone_missing" });
    assert.deepEqual(phone.calls, []);
  });
});

describe("lost socket", () => {
  test("keeps the call and resumes with the newest token", async () => {
    await online();
    const call = await answered("b1");
    for (const token of ["secret1", "secret2"]) {
      await server.socket.close(1006);
      assert.equal(phone.state.kind, "reconnecting");
      assert.equal(call.state.kind, "active");
      assert.ok(!media.path.closed);
      mock.timers.tick(1_000);
      await server.socket.open();
      const resume = server.socket.take("resume");
      assert.deepEqual([resume["device"], resume["token"]], ["d1", token]);
      await server.socket.welcome(resume, { resumed: true, resume: "secret2", ...live("active") });
      assert.equal(phone.state.kind, "online");
      assert.equal(call.state.kind, "active");
      assert.deepEqual(server.socket.sent, []);
    }
  });

  function live(state: string): Message {
    const path = (phone.calls[0] as IncomingCall & { readonly pathId: string }).pathId;
    return { calls: [wire("b1", { state, path })], paths: [{ path, state: "up", leg: "b1" }] };
  }

  test("a refused resume logs in again and ends the calls of the old device", async () => {
    await online();
    const call = await answered("b1");
    await server.socket.close(1006);
    mock.timers.tick(1_000);
    await server.socket.open();
    await server.socket.refuse(server.socket.take("resume"), "unauthorized");
    await server.socket.welcome(server.socket.take("login"), { device: "d2" });
    assert.ok(call.state.kind === "ended" && call.state.outcome.kind === "failed");
    assert.ok(media.path.closed);
  });

  test("a call that ended meanwhile tells how", async () => {
    await online();
    const call = await answered("b1");
    await server.socket.close(1006);
    mock.timers.tick(1_000);
    await server.socket.open();
    await server.socket.welcome(server.socket.take("resume"), {
      resumed: true,
      ended: [{ type: "ended", leg: "b1", cause: 16, reason: "none" }],
    });
    assert.ok(call.state.kind === "ended" && call.state.outcome.kind === "completed");
  });

  test("a hang-up while lost is made up for", async () => {
    await online();
    const call = await answered("b1");
    const again = live("active");
    await server.socket.close(1006);
    await call.hangUp();
    assert.equal(call.state.kind, "ended");
    mock.timers.tick(1_000);
    await server.socket.open();
    await server.socket.welcome(server.socket.take("resume"), { resumed: true, ...again });
    assert.equal(server.socket.take("hangup")["leg"], "b1");
    assert.deepEqual(phone.calls, []);
  });

  test("a mute while lost is made up for", async () => {
    await online();
    const call = await answered("b1");
    await server.socket.close(1006);
    await call.mute(true);
    assert.ok(media.path.muted, "the microphone is still open");
    mock.timers.tick(1_000);
    await server.socket.open();
    await server.socket.welcome(server.socket.take("resume"), { resumed: true, ...live("active") });
    assert.equal(server.socket.take("mute")["muted"], true);
  });

  test("a call that rang meanwhile rings", async () => {
    await online();
    await server.socket.close(1006);
    mock.timers.tick(1_000);
    await server.socket.open();
    const told: IncomingCall[] = [];
    phone.on("incoming", (c) => told.push(c));
    await server.socket.welcome(server.socket.take("resume"), { resumed: true, calls: [wire("b7")] });
    assert.equal(told[0]?.id, "b7");
    assert.equal(server.socket.take("ringing")["leg"], "b7");
  });

  test("a call of a former page keeps its age and gets audio", async () => {
    mock.timers.tick(1_000_000);
    const connected = phone.connect("/ws", { token: "t" });
    await settle();
    await server.socket.open();
    await server.socket.welcome(server.socket.take("login"), {
      resumed: true,
      calls: [wire("b1", { state: "active", active_seconds: 90 })],
      paths: [{ path: "old", state: "down", leg: "b1" }],
    });
    await connected;
    const call = phone.calls[0];
    assert.ok(call?.state.kind === "active" && call.state.since === Date.now() - 90_000);
    assert.equal(server.socket.take("release")["path"], "old");
    assert.equal(server.socket.take("media")["leg"], "b1");
  });

  test("a path that the server lost is made anew", async () => {
    await online();
    await answered("b1");
    const first = media.path;
    await server.socket.close(1006);
    mock.timers.tick(1_000);
    await server.socket.open();
    await server.socket.welcome(server.socket.take("resume"), { resumed: true, calls: [wire("b1", { state: "active" })] });
    const offer = server.socket.take("media");
    assert.equal(offer["leg"], "b1");
    assert.ok(first.closed && media.path !== first);
  });

  test("silence is pinged, and a dead socket given up without waiting for TCP", async () => {
    await online();
    mock.timers.tick(20_000);
    const ping = server.socket.take("ping");
    mock.timers.tick(5_000);
    await server.socket.reply(ping);
    mock.timers.tick(20_000);
    server.socket.take("ping");
    const dead = server.socket;
    mock.timers.tick(10_000);
    await settle();
    assert.equal(dead.closeCode, 4000);
    assert.equal(phone.state.kind, "reconnecting");
    mock.timers.tick(1_000);
    assert.equal(server.sockets.length, 2);
    await dead.close(1006); // the old one reports late
    await server.socket.open();
    await server.socket.welcome(server.socket.take("resume"), { resumed: true });
    assert.equal(phone.state.kind, "online");
  });
});

describe("audio", () => {
  test("an interrupted connection restarts ICE on the same path until it is up", async () => {
    await online();
    const call = await answered("b1");
    media.path.events.interrupted();
    await settle();
    assert.equal(call.audio, "interrupted");
    const first = server.socket.take("media");
    assert.equal(first["leg"], undefined);
    await server.socket.reply(first, { sdp: "answer 2" });
    mock.timers.tick(3_000);
    await settle();
    const second = server.socket.take("media");
    assert.equal(second["path"], first["path"]);
    await server.socket.reply(second, { sdp: "answer 3" });
    media.path.events.up();
    assert.equal(call.audio, "up");
    mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(server.socket.sent, []);
    assert.deepEqual(media.path.offers, [false, true, true]);
  });

  test("what only the server noticed is repaired too", async () => {
    await online();
    const call = await answered("b1");
    const path = (call as IncomingCall & { readonly pathId: string }).pathId;
    await server.socket.say({ type: "path", path, state: "down" });
    assert.equal(call.audio, "interrupted");
    await server.socket.reply(server.socket.take("media"), { sdp: "answer 2" });
    await server.socket.say({ type: "path", path, state: "up" });
    assert.equal(call.audio, "up");
  });

  test("keys go in-band, or to the server where that is impossible", async () => {
    await online();
    const call = await answered("b1");
    await call.sendDigits("12#");
    assert.equal(media.path.digits, "12#");
    assert.deepEqual(server.socket.sent, []);
    media.path.inband = false;
    const done = call.sendDigits("5,*");
    await settle();
    await server.socket.reply(server.socket.take("digit"));
    mock.timers.tick(2_000);
    await settle();
    const star = server.socket.take("digit");
    assert.equal(star["digit"], "*");
    await server.socket.reply(star);
    await done;
    await assert.rejects(call.sendDigits("x"), { name: "RangeError" });
  });

  test("mute is local first", async () => {
    await online();
    const call = await answered("b1");
    await call.mute(true);
    assert.ok(media.path.muted);
    assert.equal(server.socket.take("mute")["muted"], true);
    await call.mute(true);
    assert.deepEqual(server.socket.sent, []);
  });
});
