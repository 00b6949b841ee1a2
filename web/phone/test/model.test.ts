import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { KeptValues } from "../recents.ts";
import { Model } from "../model.ts";
import { FakePhone } from "./fake-phone.ts";

function storage(kept: Record<string, string> = {}): KeptValues & { readonly kept: Record<string, string> } {
  return {
    kept,
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => void (kept[key] = value),
    removeItem: (key) => void delete kept[key],
  };
}

function setUp() {
  const phone = new FakePhone();
  const store = storage();
  const model = new Model(phone, store);
  phone.online("sales");
  return { phone, model, store };
}

function fault(kind: string): Error {
  return Object.assign(new Error("wire text"), { kind });
}

mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });

test("a page without session shows the login, one with a session goes on", async () => {
  const phone = new FakePhone();
  const model = new Model(phone, storage());
  await model.start("");
  assert.equal(model.session.value, "signed-out");
  phone.restorable = true;
  await model.start("");
  assert.equal(model.session.value, "signed-in");
});

test("a refused login says why and keeps the form", async () => {
  const phone = new FakePhone();
  phone.refusal = fault("login_refused");
  const model = new Model(phone, storage());
  await model.login({ user: "sales", password: "wrong" });
  assert.equal(model.session.value, "signed-out");
  assert.match(model.loginError.value, /wrong/);
});

test("a device taken over by another tab goes back to the login with the reason", () => {
  const { phone, model } = setUp();
  phone.become({ kind: "offline", error: Object.assign(new Error("x"), { kind: "taken_over" as const }) });
  assert.equal(model.session.value, "signed-out");
  assert.match(model.loginError.value, /another tab/);
});

test("a lost connection keeps the page and the call", () => {
  const { phone, model } = setUp();
  const call = phone.ring({ number: "12995550100" }, {});
  call.become({ kind: "active", since: Date.now() });
  phone.become({ kind: "reconnecting", attempt: 1, retryAt: Date.now() + 500 });
  assert.equal(model.session.value, "signed-in");
  assert.equal(model.current.value?.call, call);
});

test("answered elsewhere is said, and is no missed call", () => {
  const { phone, model } = setUp();
  const call = phone.ring({ number: "12995550100", name: "Grace" }, { number: "12995558888" });
  assert.equal(model.ringing.value?.call, call);
  call.end({ kind: "answered_elsewhere", cause: 26, text: "Answered elsewhere." });
  assert.equal(model.ringing.value, undefined);
  assert.equal(model.toast.value?.text, "Grace: Answered elsewhere.");
  assert.deepEqual(model.recents.list.value.map((r) => r.outcome), ["answered_elsewhere"]);
});

test("the toast goes away, and a later one is shown for its full time", () => {
  const { model } = setUp();
  model.say("one");
  mock.timers.tick(4000);
  model.say("two");
  mock.timers.tick(4000);
  assert.equal(model.toast.value?.text, "two");
  mock.timers.tick(2000);
  assert.equal(model.toast.value, undefined);
});

test("a completed call is kept with its length, per user", () => {
  const { phone, model, store } = setUp();
  const call = phone.ring({ number: "12995550100" }, {});
  call.become({ kind: "connecting" });
  call.become({ kind: "active", since: Date.now() });
  mock.timers.tick(65_000);
  call.end({ kind: "completed", cause: 16, text: "Ended." });
  assert.equal(model.recents.list.value[0]?.seconds, 65);
  assert.ok(store.kept["offhook.recents.sales"]?.includes("12995550100"));
  phone.online("support");
  assert.deepEqual(model.recents.list.value, []);
});

test("answering a second call hangs up the first, once the second is taken", async () => {
  const { phone, model } = setUp();
  const first = phone.ring({ number: "1" }, {});
  first.become({ kind: "active", since: Date.now() });
  const second = phone.ring({ number: "2" }, {});
  await model.answer(second);
  assert.deepEqual([first.asked, second.asked], [["hangUp"], ["answer"]]);
});

test("a second call that cannot be answered leaves the first alone", async () => {
  const { phone, model } = setUp();
  const first = phone.ring({ number: "1" }, {});
  first.become({ kind: "active", since: Date.now() });
  const second = phone.ring({ number: "2" }, {});
  second.failure = fault("microphone_denied");
  await model.answer(second);
  assert.deepEqual(first.asked, []);
  assert.match(model.toast.value?.text ?? "", /microphone is blocked/);
});

test("dialling clears the entry, ignores blanks and a second call", async () => {
  const { phone, model } = setUp();
  model.entry.value = " 12995551111 ";
  await model.dial("   ");
  await model.dial(model.entry.value);
  await model.dial("12995551212");
  assert.deepEqual(phone.dialled, ["12995551111"]);
  assert.equal(model.entry.value, "");
});

test("a second click while the microphone is asked for places no second call", async () => {
  const { phone, model } = setUp();
  const first = model.dial("12995551111");
  assert.equal(model.busy.value, true);
  await Promise.all([first, model.dial("12995551111")]);
  assert.deepEqual(phone.dialled, ["12995551111"]);
  assert.equal(model.busy.value, false);
});

test("recents survive storage that holds nonsense or nothing at all", () => {
  for (const kept of ["{", "[1,null,{}]", "\"x\""]) {
    const phone = new FakePhone();
    const model = new Model(phone, storage({ "offhook.recents.sales": kept }));
    phone.online("sales");
    assert.deepEqual(model.recents.list.value, []);
  }
});
