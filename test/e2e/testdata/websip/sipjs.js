// A page with SIP.js, as its documentation shows it.
import { UserAgent, Web } from "sip.js";

let user, at, incoming;

window.client = {
  start: async ({ server, domain, user: name, password }) => {
    at = domain;
    let registered;
    const done = new Promise((resolve) => { registered = resolve; });
    user = new Web.SimpleUser(server, {
      aor: `sip:${name}@${domain}`,
      media: { constraints: { audio: true, video: false }, remote: { audio: document.getElementById("remote") } },
      sendDTMFUsingSessionDescriptionHandler: true,
      userAgentOptions: {
        authorizationUsername: name,
        authorizationPassword: password,
        sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
      },
      delegate: {
        onRegistered: () => registered(true),
        onCallReceived: () => { incoming = true; events.push("incoming"); },
        onCallAnswered: () => { incoming = false; events.push("up"); },
        onCallHangup: () => { incoming = false; events.push("ended"); },
        onCallHold: (held) => events.push(held ? "held by local" : "resumed by local"),
      },
    });
    await user.connect();
    await user.register();
    return done;
  },
  stop: () => new Promise((done) => {
    user.delegate.onUnregistered = () => done(true);
    user.unregister();
  }),
  call: (to) => user.call(`sip:${to}@${at}`).then(() => true),
  answer: () => user.answer().then(() => true),
  hangUp: () => (incoming ? user.decline() : user.hangup()).then(() => true),
  hold: () => user.hold().then(() => true),
  resume: () => user.unhold().then(() => true),
  inform: (key) => user.session.info({ requestOptions: { body: {
    contentDisposition: "render", contentType: "application/dtmf-relay", content: `Signal=${key}\r\nDuration=2000`,
  } } }).then(() => true),
  restart: () => user.session.invite({ sessionDescriptionHandlerOptions: { offerOptions: { iceRestart: true } } }).then(() => true),
  refer: (to) => user.session.refer(UserAgent.makeURI(`sip:${to}@${at}`), { onNotify: (n) => { n.accept(); } }).then(() => true),
  press: (key) => user.sendDTMF(key).then(() => true),
};
