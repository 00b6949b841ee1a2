// A conference: the caller keys a PIN and enters. Who waits alone hears music.
import { here, music, serve } from "../offhook.mjs";

const pins = { 1234: "sales", 5678: "board" };

const ask = [
  { action: "talk", text: "1 2 3", bargeIn: true }, // "Please key your PIN", with an engine for speech
  { action: "input", type: ["dtmf"], dtmf: { maxDigits: 4, timeOut: 8 }, eventUrl: [`${here}/pin`] },
];

serve({
  "/music.wav": () => music(),
  "/answer": () => ask,
  "/pin": ({ dtmf }) => {
    const name = pins[dtmf.digits];
    if (!name) return ask;
    return [{ action: "conversation", name, musicOnHoldUrl: [`${here}/music.wav`] }];
  },
});
