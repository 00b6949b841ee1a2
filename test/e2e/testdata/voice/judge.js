// Lets a test call the SDK in the folder that SDK names: POST /<method> with an array
// of arguments gives {result} or {error, status}.
'use strict';

const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const load = createRequire(join(process.env.SDK, 'package.json'));
const { Vonage } = load('@vonage/server-sdk');
const voice = load('@vonage/voice');
const { verifySignature } = load('@vonage/jwt');

const vonage = new Vonage({
  apiKey: process.env.API_KEY,
  apiSecret: process.env.API_SECRET,
  applicationId: process.env.APP_ID,
  privateKey: process.env.PRIVATE_KEY,
});

const others = {
  version: () => [JSON.parse(readFileSync(join(process.env.SDK, 'node_modules/@vonage/server-sdk/package.json'))).version, process.versions.node],
  verify: (token, secret) => verifySignature(token, secret),
  // All calls, page by page, by the SDK's own iterator.
  all: async (params) => {
    const calls = [];
    for await (const call of vonage.voice.getAllCalls(params)) calls.push(call);
    return calls;
  },
  // An NCCO made of the SDK's own classes.
  build: (actions) => {
    const ncco = new voice.NCCOBuilder();
    for (const [name, ...args] of actions) ncco.addAction(new voice[name](...args));
    return ncco.build();
  },
};

createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const method = request.url.slice(1);
  let answer;
  try {
    const args = JSON.parse(text || '[]');
    const result = await (others[method] ? others[method](...args) : vonage.voice[method](...args));
    answer = { result: result ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error), status: error.response?.status ?? 0 };
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(answer));
}).listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`listening on ${process.env.PORT}`));
