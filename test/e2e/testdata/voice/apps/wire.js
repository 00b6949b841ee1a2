// What the test applications share: a small web server, and requests to the API as
// such applications make them, some by the SDK and some by hand.
'use strict';

const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const load = createRequire(join(__dirname, '..', 'sdk-3.20', 'package.json'));
const { Vonage } = load('@vonage/server-sdk');
const { tokenGenerate } = load('@vonage/jwt');

const { APP_ID, API_REGION, PRIVATE_KEY } = process.env;
const privateKey = readFileSync(PRIVATE_KEY);

const vonage = new Vonage({
  apiKey: process.env.API_KEY,
  apiSecret: process.env.API_SECRET,
  applicationId: APP_ID,
  privateKey: PRIVATE_KEY,
});

// request asks by hand. A status that is no 2xx rejects; a connection that fails has
// no response, which the callers do not expect.
function request(method, host, path, token, body) {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', authorization: `Bearer ${token}`, host };
    if (body !== undefined || method === 'GET') headers['content-type'] = 'application/json';
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (text) headers['content-length'] = Buffer.byteLength(text);
    const message = https.request({ method, host, path, headers }, (response) => {
      let got = '';
      response.on('data', (part) => (got += part));
      response.on('end', () => {
        const data = got && JSON.parse(got);
        if (response.statusCode >= 200 && response.statusCode < 300) resolve({ status: response.statusCode, data });
        else reject(Object.assign(new Error(`Request failed with status code ${response.statusCode}`), { response: { status: response.statusCode, data } }));
      });
    });
    message.on('error', reject);
    message.end(text);
  });
}

const applicationToken = () => tokenGenerate(APP_ID, privateKey);

// userToken is what a browser logs in with: for 30 days, with the paths it needs.
function userToken(user) {
  const paths = {};
  for (const area of ['users', 'conversations', 'sessions', 'devices', 'image', 'media', 'applications', 'push', 'knocking', 'legs']) paths[`/*/${area}/**`] = {};
  return tokenGenerate(APP_ID, privateKey, { sub: user, subject: user, exp: Math.floor(Date.now() / 1000) + 30 * 86400, acl: { paths } });
}

// serve runs the routes: "METHOD /path" to a function of the query, the body and the
// host name (without its port) that answers with [status, JSON], or with text and its
// type.
function serve(port, routes) {
  http
    .createServer(async (message, response) => {
      const url = new URL(message.url, 'http://localhost');
      let text = '';
      for await (const part of message) text += part;
      const route = routes[`${message.method} ${url.pathname}`];
      const host = (message.headers.host ?? '').split(':')[0];
      console.log(`${message.method} ${message.url} ${text}`);
      const [status, answer, type] = route
        ? await route({ query: Object.fromEntries(url.searchParams), body: text ? JSON.parse(text) : {}, host })
        : [404];
      response.writeHead(status, answer === undefined ? {} : { 'Content-Type': type ?? 'application/json; charset=utf-8' });
      response.end(answer === undefined || type ? answer : JSON.stringify(answer));
    })
    .listen(port, () => console.log(`listening on ${port}`));
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

module.exports = { API_REGION, applicationToken, pause, request, serve, userToken, vonage };
