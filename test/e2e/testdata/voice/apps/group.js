// An application that rings a group of phones and browser users, in three kinds (KIND):
// "early-media" keeps the caller unanswered, with music, until somebody answers; "ivr"
// answers at once and says something first; "coach" is early-media where a third may
// come in whom only the agent hears.
//
// It forgives as little as applications in the field: a request that fails where they
// do not expect it ends the program.
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const { API_REGION, applicationToken, pause, request, serve, userToken, vonage } = require('./wire.js');

const KIND = process.env.KIND ?? 'early-media';
const number = process.env.SERVICE_NUMBER;
const maxRing = Number(process.env.MAX_RING_DURATION ?? 5);
const spacing = Math.ceil(1000 / Number(process.env.CPS ?? 3)) + Number(process.env.ADDED_DELAY ?? 100);
const members = (process.env.GROUP ?? '').split(',').map((one) => one.split(':')); // type:destination
const music = process.env.MUSIC ?? 'http://media.test/music.mp3';

const groups = new Map(); // by the caller's leg: {legs, answered, host, ended}
const conference = (uuid) => `conf_${uuid}`;

// Requests that begin legs go out one after the other, spaced; one that is refused for
// its rate goes to the end of the line.
const line = [];
setInterval(async () => {
  const next = line.shift();
  if (!next) return;
  try {
    const { uuid } = await next.create();
    if (uuid) next.group.legs.add(uuid);
  } catch (error) {
    console.log(`create: ${error.message}`);
    if (error.response.status === 429) line.push(next); // an error without a response ends the program
  }
}, spacing);

function callback(group, path, query) {
  return [`https://${group.host}${path}?${new URLSearchParams(query)}`];
}

function ringGroup(group, caller) {
  group.answered = false;
  for (const [type, destination] of members) {
    const query = { peer_uuid: caller, in_app: String(type === 'app') };
    const body = {
      from: { type: 'phone', number },
      answer_url: callback(group, '/answer_multi', { peer_uuid: caller }),
      answer_method: 'GET',
      event_url: callback(group, '/event_multi', query),
      event_method: 'POST',
    };
    if (type === 'app') {
      line.push({
        group,
        create: async () => {
          const { data } = await request('POST', 'api.nexmo.com', '/v2/calls', applicationToken(), {
            ...body, to: [{ type: 'app', user: destination }], ringing_timer: maxRing,
          });
          return data;
        },
      });
    } else {
      line.push({
        group,
        create: () =>
          vonage.voice.createOutboundCall({
            to: [{ type: 'phone', number: destination }], from: body.from, ringingTimer: maxRing,
            answerUrl: body.answer_url, answerMethod: 'GET', eventUrl: body.event_url, eventMethod: 'POST',
          }),
      });
    }
  }
  setTimeout(() => nobody(group, caller), (maxRing + 3) * 1000);
}

// nobody tells a caller that nobody is there.
async function nobody(group, caller) {
  if (group.answered || group.ended) return;
  await vonage.voice.stopStreamAudio(caller);
  await vonage.voice.playTTS(caller, { text: 'We are sorry, no one is available at this time.', language: 'en-US', style: 11 });
  await pause(4000);
  await hangUp(caller);
  for (const leg of group.legs) await hangUp(leg);
}

// hangUp ends a leg if it lives. One that is gone is fine.
async function hangUp(leg) {
  try {
    const { status } = await vonage.voice.getCall(leg);
    if (!['completed', 'cancelled', 'busy', 'failed', 'rejected', 'timeout', 'unanswered'].includes(status)) await vonage.voice.hangupCall(leg);
  } catch (error) {
    console.log(`hang up ${leg}: ${error.message}`);
  }
}

const meet = (uuid) => ({ action: 'conversation', name: conference(uuid), startOnEnter: true, endOnExit: true });

const routes = {
  'GET /_/health': () => [200],
  'GET /client.html': () => [200, readFileSync(join(__dirname, 'client.html'), 'utf8'), 'text/html; charset=utf-8'],

  'GET /answer': async ({ query, host }) => {
    const { uuid, to, from_user: user } = query;
    if (user !== undefined) {
      const talk = { action: 'talk', text: 'Please wait while we connect you.' };
      if (/^\d+$/.test(to)) {
        return [200, [talk, {
          action: 'connect', from: number, timeout: 45, eventUrl: [`https://${host}/inappevent`], endpoint: [{ type: 'phone', number: to }],
        }]];
      }
      return [200, [talk, { action: 'connect', from: query.from, endpoint: [{ type: 'app', user: to }] }]];
    }
    const group = { host, legs: new Set(), answered: false, ended: false };
    groups.set(uuid, group);
    if (KIND === 'ivr') return [200, [{ action: 'talk', text: 'Welcome.', language: 'en-US' }, meet(uuid)]];
    vonage.voice.streamAudio(uuid, music, 0, -0.6); // nobody catches what goes wrong
    ringGroup(group, uuid);
    return [204];
  },

  'POST /event': ({ body }) => {
    const { uuid, status, type } = body;
    if (type === 'transfer' && KIND === 'ivr') {
      vonage.voice.streamAudio(uuid, music.replace('http:', 'https:'), 1, 0);
      ringGroup(groups.get(uuid), uuid);
    }
    const group = groups.get(uuid);
    if (status === 'completed' && group) {
      group.ended = true;
      for (const leg of group.legs) hangUp(leg);
    }
    return [200];
  },

  'GET /answer_multi': ({ query }) => {
    const { peer_uuid: caller, uuid } = query;
    const group = groups.get(caller);
    if (group.answered) return [200, []];
    group.answered = true;
    for (const leg of group.legs) if (leg !== uuid) hangUp(leg);
    return [200, [{ action: 'talk', text: 'Call from your group.', language: 'en-US' }, meet(caller)]];
  },

  'POST /event_multi': ({ query, body }) => {
    const { peer_uuid: caller } = query;
    const group = groups.get(caller);
    if (query.in_app === 'true' && (body.status === 'started' || body.status === 'ringing')) group.legs.add(body.uuid);
    if (body.type === 'transfer') {
      vonage.voice.stopStreamAudio(caller);
      if (KIND !== 'ivr') vonage.voice.transferCallWithNCCO(caller, [meet(caller)]);
    }
    return [200];
  },

  'POST /inappevent': () => [200],
  'POST /rtc': () => [200],

  // The coach is put into the conference so that only the agent hears.
  'GET /coachpstn': async ({ query, host }) => {
    const { number: coach, uuid: agent } = query;
    const [caller, group] = [...groups].find(([, one]) => one.legs.has(agent));
    const parties = { customer_uuid: caller, agent_uuid: agent };
    line.push({
      group,
      create: () =>
        vonage.voice.createOutboundCall({
          to: [{ type: 'phone', number: coach }], from: { type: 'phone', number }, ringingTimer: maxRing,
          answerUrl: callback(group, '/answer_coach', parties), answerMethod: 'GET',
          eventUrl: callback(group, '/event_coach', { ...parties, in_app: 'false' }), eventMethod: 'POST',
        }),
    });
    group.host = host;
    return [200];
  },

  'GET /coachapp': async ({ query, host }) => {
    const { user, uuid: agent } = query;
    const [caller, group] = [...groups].find(([, one]) => one.legs.has(agent));
    const parties = { customer_uuid: caller, agent_uuid: agent };
    group.host = host;
    line.push({
      group,
      create: async () => {
        const { data } = await request('POST', 'api.nexmo.com', '/v2/calls', applicationToken(), {
          to: [{ type: 'app', user }], from: { type: 'phone', number },
          answer_url: callback(group, '/answer_coach', parties), answer_method: 'GET',
          event_url: callback(group, '/event_coach', { ...parties, in_app: 'true' }), event_method: 'POST',
        });
        return data;
      },
    });
    return [200];
  },

  'GET /answer_coach': ({ query }) => [200, [{
    action: 'conversation', name: conference(query.customer_uuid), canSpeak: [query.agent_uuid], startOnEnter: true,
  }]],
  'POST /event_coach': () => [200],

  // Browsers: a user is made once, and gets a token.
  'POST /login': async ({ body }) => {
    const token = applicationToken();
    let user;
    try {
      const { data } = await request('GET', API_REGION, `/v0.3/users?name=${encodeURIComponent(body.user)}`, token);
      user = data._embedded.users[0].id;
    } catch {
      user = undefined;
    }
    const made = user === undefined;
    if (made) ({ data: { id: user } } = await request('POST', API_REGION, '/v0.3/users', token, { name: body.user, display_name: body.user }));
    return [200, { user, made, token: userToken(body.user), dc: API_REGION.slice(4, 8) }];
  },
  'POST /logout': async ({ body }) => {
    await request('DELETE', API_REGION, `/v0.3/sessions/${body.session}`, applicationToken());
    return [200];
  },
};

serve(8000, routes);
