// A coach: POST /coach?number=... while an agent talks with a customer. The coach
// hears both, the agent hears the coach, the customer does not.
import { here, request, serve } from "../offhook.mjs";

const agentNumber = process.env.AGENT ?? "12995551111";

let number; // ours that was called
let agent; // leg of the agent

serve({
  // The customer waits in the conversation while the agent's phone rings.
  "/answer": async ({ to }) => {
    number = to;
    await request("POST", "/v1/calls", {
      to: [{ type: "phone", number: agentNumber }],
      from: { type: "phone", number },
      ncco: [{ action: "conversation", name: "help", endOnExit: true }],
      event_url: [`${here}/agent`],
    });
    return [{ action: "conversation", name: "help", endOnExit: true }];
  },

  "/agent": ({ status, uuid }) => {
    if (status === "answered") agent = uuid;
  },

  // canSpeak lists who may hear the coach.
  "/coach": async ({ number: coach }) => {
    const { uuid } = await request("POST", "/v1/calls", {
      to: [{ type: "phone", number: coach }],
      from: { type: "phone", number },
      ncco: [{ action: "conversation", name: "help", canSpeak: [agent] }],
    });
    return { uuid };
  },
});
