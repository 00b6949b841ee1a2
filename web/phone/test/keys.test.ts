import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { press } from "../keys.ts";
import { Model } from "../model.ts";
import { FakePhone } from "./fake-phone.ts";

mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });

function setUp() {
  const phone = new FakePhone();
  const model = new Model(phone, { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
  phone.online("sales");
  return { phone, model, type: (keys: readonly string[]) => keys.map((key) => press(model, key)) };
}

test("digits fill the entry, Backspace and Escape empty it, Enter calls", () => {
  const { phone, model, type } = setUp();
  type(["1", "2", "3", "*", "Backspace"]);
  assert.equal(model.entry.value, "123");
  type(["Escape", "4", "5", "Enter"]);
  assert.deepEqual(phone.dialled, ["45"]);
});

test("A answers and D declines what rings, but not in the moment it begins", () => {
  const { phone, type } = setUp();
  const call = phone.ring({ number: "1" }, {});
  assert.deepEqual(type(["a", "D"]), [true, true]);
  assert.deepEqual(call.asked, [], "a key for something else answered the call");
  mock.timers.tick(700);
  type(["A"]);
  type(["d"]);
  assert.deepEqual(call.asked, ["answer", "decline"]);
});

test("in a call digits are tones, M mutes and H hangs up", () => {
  const { phone, model, type } = setUp();
  const call = phone.ring({ number: "1" }, {});
  call.become({ kind: "active", since: Date.now() });
  type(["5", "#", "m", "M", "h"]);
  assert.deepEqual(call.asked, ["digits 5", "digits #", "mute true", "mute false", "hangUp"]);
  assert.equal(model.entry.value, "");
});

test("keys that mean nothing are left to the browser", () => {
  const { phone, model, type } = setUp();
  assert.deepEqual(type(["a", "d", "x", "Tab", "Enter"]), [false, false, false, false, false]);
  phone.ring({ number: "1" }, {});
  assert.deepEqual(type(["7"]), [false]);
  model.session.value = "signed-out";
  assert.deepEqual(type(["7"]), [false]);
});
