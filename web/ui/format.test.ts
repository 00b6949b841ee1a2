import assert from "node:assert/strict";
import { test } from "node:test";
import { detail, dialable, duration, formatNumber, title } from "./format.ts";

test("numbers are grouped for reading, names and short numbers are left alone", () => {
  const cases: [string, string][] = [
    ["12995550100", "+1 299 555 0100"], ["+12995550100", "+1 299 555 0100"], ["442071838750", "+442071838750"], ["+49301", "+49301"], ["101", "101"], ["0049301234567", "0049301234567"],
    ["11995550100", "+11995550100"], ["alice", "alice"], ["", ""], ["*98", "*98"],
  ];
  for (const [number, want] of cases) {
    assert.equal(formatNumber(number), want);
  }
});

test("a party is shown by name, then number, then user", () => {
  assert.deepEqual([title({ name: "Grace", number: "101" }), detail({ name: "Grace", number: "101" })], ["Grace", "101"]);
  assert.deepEqual([title({ number: "101", user: "sales" }), detail({ number: "101", user: "sales" })], ["101", "sales"]);
  assert.deepEqual([title({ user: "sales" }), detail({ user: "sales" })], ["sales", ""]);
  assert.deepEqual([title({}), detail({}), dialable({})], ["Unknown caller", "", ""]);
});

test("durations", () => {
  const cases: [number, string][] = [[-5, "0:00"], [999, "0:00"], [61_000, "1:01"], [3_599_999, "59:59"], [3_723_000, "1:02:03"]];
  for (const [milliseconds, want] of cases) {
    assert.equal(duration(milliseconds), want);
  }
});
