import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import * as vonageClientSDK from "../facade/index.ts";
import { VonageClient as Client } from "../facade/client.ts";
import type { ClientEvents } from "../facade/names.ts";
import { addresses } from "../facade/config.ts";
import { FakeMedia, FakeServer, type Message, settle } from "./fakes.ts";

let server: FakeServer;
let media: FakeMedia;
let client: Client;
let told: unknown[][];
let asked: { url: string; method: string; authorization: string | undefined; body: string | undefined }[];
let answers: Map<string, { status: number; body: unknown }>;

const events: (keyof ClientEvents)[] = [
  "callInvite", "callInviteCancel", "legStatusUpdate", "callHangup", "mute", "earmuff", "dtmf", "callMediaReconnecting",
  "callMediaReconnection", "callMediaDisconnect", "callMediaError", "reconnecting", "reconnection", "sessionError",
];

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  server = new FakeServer();
  media = new FakeMedia();
  told = [];
  asked = [];
  answers = new Map();
  client = new Client(
    { apiUrl: "https://api-us-4.vonage.com", websocketUrl: "wss://ws-us-4.vonage.com" },
    {
      transport: server.open,
      media,
      fetch: async (url, init) => {
        asked.push({ url, method: init.method, authorization: init.headers["Authorization"], body: init.body });
        const { status, body } = answers.get(url) ?? { status: 404, body: {} };
        return new Response(body === undefined ? null : JSON.stringify(body), { status });
      },
    },
  );
  for (const event of events) client.on(event, (...args: unknown[]) => told.push([event, ...args]));
});
afterEach(() => mock.timers.reset());

/** Takes what was told, without the numbers of a hang-up. */
function takeTold(): unknown[][] {
  const all = told.map((args) => (args[0] === "callHangup" ? [args[0], args[1], args[3]] : args));
  told = [];
  return all;
}

async function session(): Promise<void> {
  const created = client.createSession("token1");
  await settle();
  await server.socket.open();
  await server.socket.welcome(server.socket.take("login"), { user: { user: "app/alice" } });
  assert.equal(await created, "SES-d1");
}

function wire(leg: string, fields: Message = {}): Message {
  return { leg, direction: "incoming", state: "ringing", from: { number: "12995550100" }, to: { user: "app/alice" }, ...fields };
}

async function ring(leg: string, fields: Message = {}): Promise<void> {
  await server.socket.say({ type: "incoming", call: wire(leg, fields) });
  await server.socket.reply(server.socket.take("ringing"));
}

/** Answers call `id`, which is `leg` on the wire, and brings its audio up. */
async function answer(id: string, leg: string): Promise<void> {
  const done = client.answer(id);
  await settle();
  await server.socket.reply(server.socket.take("accept"));
  await server.socket.reply(server.socket.take("media"), { sdp: "answer" });
  await done;
  media.path.events.up();
  await server.socket.say({ type: "up", leg });
}

/** Calls and returns the id. */
async function call(context: Record<string, unknown>): Promise<string> {
  const calling = client.serverCall(context);
  await settle();
  await server.socket.reply(server.socket.take("media"), { sdp: "answer" });
  const request = server.socket.take("call");
  assert.deepEqual([request["to"], request["custom"]], [context["to"] ?? "", context]);
  await server.socket.reply(request, { leg: "l9" });
  return calling;
}

test("the names that pages use are there", () => {
  assert.equal(vonageClientSDK.default, vonageClientSDK.VonageClient);
  assert.deepEqual(
    [vonageClientSDK.ConfigRegion, vonageClientSDK.LoggingLevel].map((names) => Object.keys(names)),
    [["AP", "EU", "US"], ["Verbose", "Debug", "Info", "Warn", "Error", "Assert"]],
  );
  assert.equal(new vonageClientSDK.ClientConfig("EU").region, "EU");
  assert.equal(new vonageClientSDK.ClientInitConfig({ apiUrl: "https://x" }).apiUrl, "https://x");
  for (const method of [
    "setConfig", "createSession", "deleteSession", "refreshSession", "getUser", "serverCall", "answer", "reject", "hangup", "mute", "unmute",
    "enableEarmuff", "disableEarmuff", "sendDTMF", "say", "reconnectCall", "getLeg", "getCallLegs", "getPeerConnection", "getAudioOutputElement",
    "on", "off", "clearCallbacks", "getConversations", "sendMessageTextEvent",
  ]) {
    assert.equal(typeof (vonageClientSDK.VonageClient.prototype as unknown as Record<string, unknown>)[method], "function", method);
  }
});

test("where the server is", () => {
  assert.deepEqual(addresses({ region: "EU" }, "http://localhost:8080/npm/x.js"), { api: "https://api-eu-3.vonage.com", socket: "wss://ws-eu-3.vonage.com" });
  assert.deepEqual(addresses({}, "http://localhost:8080/npm/x.js"), { api: "http://localhost:8080", socket: "http://localhost:8080" });
  assert.deepEqual(addresses({}, "https://cdn.jsdelivr.net/npm/x.js"), { api: "https://api-us-3.vonage.com", socket: "wss://ws-us-3.vonage.com" });
  assert.deepEqual(addresses({ apiUrl: "https://a/", websocketUrl: "wss://b" }, undefined), { api: "https://a", socket: "wss://b" });
});

describe("session", () => {
  test("logs in with the token, at the address of the signalling", async () => {
    const created = client.createSession("token1");
    await settle();
    assert.equal(server.socket.url, "wss://ws-us-4.vonage.com/ws");
    await server.socket.open();
    const login = server.socket.take("login");
    assert.equal(login["token"], "token1");
    await server.socket.welcome(login);
    assert.equal(await created, "SES-d1");
    assert.deepEqual(takeTold(), []);
  });

  test("a token that is refused", async () => {
    const created = client.createSession("old");
    await settle();
    await server.socket.open();
    await server.socket.refuse(server.socket.take("login"), "unauthorized");
    await assert.rejects(created, { type: "SESSION_ERROR", code: "session:error:invalid-token" });
    assert.deepEqual(takeTold(), [["sessionError", "EXPIRED_TOKEN"]]);
  });

  test("a new token is used at the next login", async () => {
    await session();
    await client.refreshSession("token2");
    await server.socket.close(1006);
    assert.deepEqual(takeTold(), [["reconnecting"]]);
    mock.timers.tick(20_000);
    await server.socket.open();
    await server.socket.refuse(server.socket.take("resume"), "unauthorized");
    const login = server.socket.take("login");
    assert.equal(login["token"], "token2");
    await server.socket.welcome(login);
    assert.deepEqual(takeTold(), [["reconnection"]]);
  });

  test("ended by the application", async () => {
    await session();
    await server.socket.close(4410);
    assert.deepEqual(takeTold(), [["sessionError", "TRANSPORT_CLOSED"]]);
    mock.timers.tick(60_000);
    assert.equal(server.sockets.length, 1, "it came back");
  });

  test("log out hangs up", async () => {
    await session();
    await ring("l1");
    await answer("l1", "l1");
    takeTold();
    const done = client.deleteSession();
    await settle();
    server.socket.take("hangup");
    server.socket.take("release");
    await server.socket.reply(server.socket.take("logout"));
    await done;
    assert.deepEqual(takeTold(), [["legStatusUpdate", "l1", "l1", "COMPLETED"], ["callHangup", "l1", "LOCAL_HANGUP"]]);
  });
});

describe("incoming call", () => {
  test("is answered and hung up by the other end", async () => {
    await session();
    await ring("l1");
    assert.deepEqual(takeTold(), [["callInvite", "l1", "12995550100", "phone"], ["legStatusUpdate", "l1", "l1", "RINGING"]]);
    await answer("l1", "l1");
    assert.deepEqual(takeTold(), [["legStatusUpdate", "l1", "l1", "ANSWERED"]]);
    await server.socket.say({ type: "ended", leg: "l1", cause: 16, reason: "none" });
    assert.deepEqual(takeTold(), [["legStatusUpdate", "l1", "l1", "COMPLETED"], ["callHangup", "l1", "REMOTE_HANGUP"]]);
    await assert.rejects(client.hangup("l1"), { type: "INTERNAL_ERROR" });
  });

  test("has the name that the application knows", async () => {
    await session();
    await ring("l1", { as: "public", from: { user: "app/bob" } });
    assert.deepEqual(takeTold(), [["callInvite", "public", "bob", "app"], ["legStatusUpdate", "public", "public", "RINGING"]]);
    await answer("public", "l1");
    await client.hangup("public");
    server.socket.take("hangup");
    assert.deepEqual(takeTold().at(-1), ["callHangup", "public", "LOCAL_HANGUP"]);
  });

  for (const [end, reason] of [
    [{ type: "handled", cause: 26, reason: "answered_elsewhere" }, "AnsweredElsewhere"],
    [{ type: "ended", cause: 21, reason: "declined_elsewhere" }, "RejectedElsewhere"],
    [{ type: "ended", cause: 19, reason: "timeout" }, "RemoteTimeout"],
    [{ type: "ended", cause: 16, reason: "caller_gone" }, "RemoteCancel"],
  ] as const) {
    test(`is cancelled: ${reason}`, async () => {
      await session();
      await ring("l1");
      takeTold();
      await server.socket.say({ ...end, leg: "l1" });
      assert.deepEqual(takeTold(), [["legStatusUpdate", "l1", "l1", "COMPLETED"], ["callInviteCancel", "l1", reason]]);
    });
  }

  test("is rejected without being told of it", async () => {
    await session();
    await ring("l1");
    takeTold();
    await client.reject("l1");
    server.socket.take("decline");
    assert.deepEqual(takeTold(), [["legStatusUpdate", "l1", "l1", "COMPLETED"]]);
  });
});

describe("outgoing call", () => {
  test("carries the context and tells how far it is", async () => {
    await session();
    assert.equal(await call({ to: "12995551111", n: 1 }), "l9");
    await server.socket.say({ type: "ringing", leg: "l9", early: true });
    await server.socket.say({ type: "answered", leg: "l9" });
    await server.socket.say({ type: "up", leg: "l9" });
    await server.socket.say({ type: "ended", leg: "l9", cause: 16, reason: "none" });
    assert.deepEqual(takeTold(), [
      ["legStatusUpdate", "l9", "l9", "RINGING"], ["legStatusUpdate", "l9", "l9", "ANSWERED"],
      ["legStatusUpdate", "l9", "l9", "COMPLETED"], ["callHangup", "l9", "REMOTE_HANGUP"],
    ]);
  });

  test("without a number the application decides", async () => {
    await session();
    await call({ room: "a" });
  });

  for (const [cause, reason] of [[17, "REMOTE_REJECT"], [21, "REMOTE_REJECT"], [19, "REMOTE_NO_ANSWER_TIMEOUT"]] as const) {
    test(`ends with cause ${cause}: ${reason}`, async () => {
      await session();
      await call({ to: "bob" });
      await server.socket.say({ type: "ended", leg: "l9", cause, reason: "none" });
      assert.deepEqual(takeTold().at(-1), ["callHangup", "l9", reason]);
    });
  }

  test("that the server refuses", async () => {
    await session();
    const calling = client.serverCall({ to: "bob" });
    await settle();
    await server.socket.reply(server.socket.take("media"), { sdp: "answer" });
    await server.socket.refuse(server.socket.take("call"), "unavailable");
    await assert.rejects(calling, { type: "CS_ERROR" });
  });

  test("without a session", async () => {
    await assert.rejects(client.serverCall({ to: "bob" }), { type: "NETWORK_ERROR" });
  });
});

describe("in a call", () => {
  test("mute, earmuff and keys are told", async () => {
    await session();
    await ring("l1");
    await answer("l1", "l1");
    takeTold();
    await client.mute("l1");
    assert.deepEqual([server.socket.take("mute")["muted"], media.path.muted], [true, true]);
    await client.unmute("l1");
    server.socket.take("mute");
    await client.enableEarmuff("l1");
    assert.equal((await client.getLeg("l1")).mediaState.earmuff, true);
    await client.disableEarmuff("l1");
    await client.sendDTMF("l1", "12p#");
    assert.deepEqual(takeTold(), [
      ["mute", "l1", "l1", true], ["mute", "l1", "l1", false], ["earmuff", "l1", "l1", true], ["earmuff", "l1", "l1", false], ["dtmf", "l1", "l1", "12p#"],
    ]);
    assert.equal(media.path.digits, "12,#");
  });

  test("is taken into another conversation", async () => {
    await session();
    const heard: unknown[] = [];
    client.on("callTransfer", (...args) => heard.push(args));
    await ring("l1", { as: "public" });
    await answer("public", "l1");
    await server.socket.say({ type: "moved", leg: "l1", call: "c2" });
    assert.deepEqual(heard, [["public", "CON-c2"]]);
    assert.equal((await client.getLeg("public")).conversationId, "CON-c2");
  });

  test("is muted and made deaf by the application", async () => {
    await session();
    await ring("l1", { as: "public" });
    await answer("public", "l1");
    takeTold();
    await server.socket.say({ type: "silenced", leg: "l1", deaf: false, on: true });
    await server.socket.say({ type: "silenced", leg: "l1", deaf: true, on: true });
    assert.deepEqual((await client.getLeg("public")).mediaState, { mute: true, earmuff: true });
    await server.socket.say({ type: "silenced", leg: "l1", deaf: false, on: false });
    await server.socket.say({ type: "silenced", leg: "l1", deaf: true, on: false });
    assert.deepEqual(takeTold(), [
      ["mute", "public", "public", true], ["earmuff", "public", "public", true], ["mute", "public", "public", false], ["earmuff", "public", "public", false],
    ]);
    assert.deepEqual((await client.getLeg("public")).mediaState, { mute: false, earmuff: false });
  });

  test("a broken connection is repaired", async () => {
    await session();
    await ring("l1");
    await answer("l1", "l1");
    takeTold();
    media.path.events.interrupted();
    media.path.events.up();
    assert.deepEqual(takeTold(), [["callMediaReconnecting", "l1"], ["callMediaReconnection", "l1"]]);
    await server.socket.say({ type: "ended", leg: "l1", cause: 102, reason: "no_media" });
    assert.deepEqual(takeTold(), [
      ["legStatusUpdate", "l1", "l1", "COMPLETED"], ["callMediaDisconnect", "l1", false], ["callHangup", "l1", "MEDIA_TIMEOUT"],
    ]);
  });

  test("counters are told until the end", async () => {
    await session();
    const stats: unknown[] = [];
    client.on("rtcStatsUpdate", (quality, id) => stats.push([id, quality.packet_cnt > 0, quality.mos_score > 1]));
    await ring("l1");
    await answer("l1", "l1");
    mock.timers.tick(5_000);
    await settle();
    assert.deepEqual(stats, [["l1", true, true]]);
    await server.socket.say({ type: "ended", leg: "l1", cause: 16, reason: "none" });
    mock.timers.tick(60_000);
    await settle();
    assert.equal(stats.length, 1);
  });

  test("callbacks are taken back by their symbols", async () => {
    await session();
    const heard: string[] = [];
    const first = client.on("callInvite", (id) => heard.push(`first ${id}`));
    client.on("callInvite", (id) => heard.push(`second ${id}`));
    assert.equal(typeof first, "symbol");
    assert.deepEqual([client.off("callInvite", first), client.off("callInvite", first)], [true, false]);
    await ring("l1");
    client.clearCallbacks("callInvite");
    await ring("l2");
    assert.deepEqual(heard, ["second l1"]);
  });
});

describe("by REST", () => {
  test("a user, by name, id and as oneself", async () => {
    await session();
    answers.set("https://api-us-4.vonage.com/v0.3/users?name=alice", {
      status: 200, body: { _embedded: { users: [{ id: "USR-1", name: "alice", display_name: "Alice", properties: { custom_data: { a: 1 } } }] } },
    });
    answers.set("https://api-us-4.vonage.com/v1/users/USR-1", { status: 200, body: { id: "USR-1", name: "alice" } });
    const alice = { id: "USR-1", name: "alice", displayName: "Alice", imageUrl: undefined, customData: { a: 1 } };
    assert.deepEqual(await client.getUser("alice"), alice);
    assert.deepEqual(await client.getUser("me"), alice);
    assert.equal((await client.getUser("USR-1")).displayName, "alice");
    await assert.rejects(client.getUser("bob"), { type: "CS_ERROR", code: "http:error:404" });
    assert.equal(asked[0]?.authorization, "Bearer token1");
  });

  test("text is spoken into the call", async () => {
    await session();
    answers.set("https://api-us-4.vonage.com/v1/legs/l1/talk", { status: 200, body: {} });
    await client.say("l1", { text: "hello", level: 0.4 });
    assert.deepEqual(asked[0]?.body, '{"text":"hello","level":0.4}');
    await client.say("l1", "<b>");
    assert.deepEqual(asked[1]?.body, '{"text":"<b>"}');
    await client.say("l1", { text: 'hello <break time="1s"/>', ssml: true, loop: 2 });
    assert.deepEqual(asked[2]?.body, '{"text":"<speak>hello <break time=\\"1s\\"/></speak>","loop":2}');
    await client.say("l1", { text: "<speak>hello</speak>", ssml: true });
    assert.deepEqual(asked[3]?.body, '{"text":"<speak>hello</speak>"}');
  });

  test("what is of no use to a telephone is refused", async () => {
    const chat = client as unknown as Record<string, () => Promise<unknown>>;
    await assert.rejects(chat["getConversations"]!(), { type: "INTERNAL_ERROR", code: "not-supported" });
  });
});
