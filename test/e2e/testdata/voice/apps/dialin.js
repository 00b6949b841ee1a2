// The voice part of an application for conferences that are dialled into: callers key a
// PIN, calls from the video side say by a SIP header where they belong. Its event
// webhook is a GET, and its input is of the old form.
'use strict';

const { serve } = require('./wire.js');

const url = process.env.SERVER_URL ?? 'http://app.test:3000';
const sessions = { 1234: 'session-one', 5678: 'session-two' };

const room = (name) => [{ action: 'conversation', name }];

serve(3000, {
  'GET /nexmo-answer': ({ query }) => {
    const session = query['SipHeader_X-OpenTok-SessionId'];
    if (session) return [200, room(session)];
    return [200, [{ action: 'talk', text: 'Please enter your PIN.' }, { action: 'input', eventUrl: [`${url}/nexmo-dtmf`] }]];
  },
  // dtmf is a string in the old form; of the new one this would be an object, and name
  // nobody's session.
  'POST /nexmo-dtmf': ({ body }) => [200, room(sessions[body.dtmf])],
  'GET /nexmo-events': () => [200],
});
