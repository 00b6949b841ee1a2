// Records a message after a beep, until the caller is silent or presses #, and
// fetches it.
import { writeFile } from "node:fs/promises";
import { here, request, serve } from "../offhook.mjs";

const folder = process.env.FOLDER ?? ".";

serve({
  "/answer": () => [
    { action: "record", format: "wav", beepStart: true, endOnSilence: 3, endOnKey: "#", timeOut: 60, eventUrl: [`${here}/recorded`] },
    { action: "talk", text: "1 2 3" }, // "Thank you", with an engine for speech
  ],

  // Told when the file can be fetched.
  "/recorded": async ({ recording_url, recording_uuid, size }) => {
    await writeFile(`${folder}/${recording_uuid}.wav`, await request("GET", recording_url));
    console.log(`recorded ${size} bytes: ${folder}/${recording_uuid}.wav`);
  },
});
