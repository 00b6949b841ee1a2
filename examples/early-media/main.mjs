// Rings several phones for a caller who hears music and is not answered, and so pays
// nothing, until one of them answers. What examples/ring-group does in one verb, step
// by step: this is how it is done where there is no such verb.
import { here, music, request, serve } from "../offhook.mjs";

const phones = (process.env.PHONES ?? "12995551111,12995551212").split(",");
const ringTime = 20; // seconds

const calls = new Map(); // caller's leg -> legs that ring for it, and whether one won

serve({
  "/music.wav": () => music(),

  // Without a flow in the answer the caller goes on ringing.
  "/answer": ({ uuid, to }) => {
    calls.set(uuid, { legs: new Set(), won: false });
    ring(uuid, to).catch(console.error);
  },

  "/event": ({ uuid, status }) => {
    if (status === "completed") stop(uuid);
  },

  // One of the phones was answered: it waits in a conversation, where the caller follows.
  "/answered": async ({ caller, uuid }) => {
    const call = calls.get(caller);
    if (!call || call.won) return [];
    call.won = true;
    stop(caller, uuid);
    return [{ action: "conversation", name: caller, endOnExit: true }];
  },

  "/phone": async ({ caller, uuid, type, status }) => {
    if (type === "transfer") {
      await request("DELETE", `/v1/calls/${caller}/stream`);
      await request("PUT", `/v1/calls/${caller}`, {
        action: "transfer",
        destination: { type: "ncco", ncco: [{ action: "conversation", name: caller, endOnExit: true }] },
      });
    }
    if (["busy", "timeout", "failed", "rejected", "unanswered"].includes(status)) gone(caller, uuid);
  },
});

async function ring(caller, number) {
  await request("PUT", `/v1/calls/${caller}/stream`, { stream_url: [`${here}/music.wav`], loop: 0 });
  for (const phone of phones) {
    const call = calls.get(caller);
    if (!call || call.won) return;
    const { uuid } = await request("POST", "/v1/calls", {
      to: [{ type: "phone", number: phone }],
      from: { type: "phone", number },
      ringing_timer: ringTime,
      answer_url: [`${here}/answered?caller=${caller}`],
      event_url: [`${here}/phone?caller=${caller}`],
    });
    call.legs.add(uuid);
  }
}

// stop ends the phones that ring for a caller, but the one that answered.
function stop(caller, winner) {
  for (const leg of calls.get(caller)?.legs ?? []) {
    if (leg !== winner) request("PUT", `/v1/calls/${leg}`, { action: "hangup" }).catch(() => {}); // it may be gone
  }
  if (!winner) calls.delete(caller);
}

// gone hangs up on the caller when the last phone has given up.
function gone(caller, leg) {
  const call = calls.get(caller);
  call?.legs.delete(leg);
  if (call?.legs.size === 0 && !call.won) request("PUT", `/v1/calls/${caller}`, { action: "hangup" }).catch(() => {});
}
