// What the Node examples share: a server for webhooks, and requests to offhook. A
// program of yours would use an SDK for the second.
import { createSign, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const base = process.env.OFFHOOK ?? "http://localhost:8080";
const port = Number(process.env.PORT ?? 3000);

// here is the address of this program for webhooks.
export const here = `http://localhost:${port}`;

// token signs the rights of the application for 15 minutes.
function token() {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { application_id: process.env.APP_ID, iat: now, exp: now + 900, jti: randomUUID() };
  const text = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  const key = readFileSync(process.env.PRIVATE_KEY ?? "private.key");
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}

// request sends a request to offhook and returns what it answers.
export async function request(method, path, body) {
  const response = await fetch(new URL(path, base), {
    method,
    headers: { Authorization: `Bearer ${token()}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  const type = response.headers.get("Content-Type") ?? "";
  return type.startsWith("application/json") ? response.json() : Buffer.from(await response.arrayBuffer());
}

// serve answers webhooks. A route gets the fields of the query and of the body, and
// returns a flow, a Buffer of sound, or nothing (204).
export function serve(routes) {
  createServer(async (message, response) => {
    const { pathname, searchParams } = new URL(message.url, here);
    let text = "";
    for await (const part of message) text += part;
    const fields = { ...Object.fromEntries(searchParams), ...(text && JSON.parse(text)) };
    try {
      const answer = await routes[pathname]?.(fields);
      if (answer === undefined) return response.writeHead(204).end();
      const type = Buffer.isBuffer(answer) ? "audio/wav" : "application/json";
      response.writeHead(200, { "Content-Type": type });
      response.end(Buffer.isBuffer(answer) ? answer : JSON.stringify(answer));
    } catch (err) {
      console.error(pathname, err.message);
      response.writeHead(500).end();
    }
  }).listen(port, () => console.log(`listening on ${here}`));
}

// music is two seconds of a soft chord, as a WAV file.
export function music() {
  const rate = 8000;
  const wav = Buffer.alloc(44 + 2 * rate * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); // PCM
  wav.writeUInt16LE(1, 22); // mono
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(2 * rate, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(wav.length - 44, 40);
  for (let n = 0; n < 2 * rate; n++) {
    const tone = (hertz) => Math.sin((2 * Math.PI * hertz * n) / rate);
    wav.writeInt16LE(Math.round(4000 * (tone(330) + tone(415) + tone(495))), 44 + 2 * n);
  }
  return wav;
}
