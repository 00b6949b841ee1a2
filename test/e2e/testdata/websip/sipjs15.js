// A page with SIP.js before its rewriting (0.15), as its documentation shows it.
import { UA } from "sip.js";

const remote = document.getElementById("remote");
const media = { sessionDescriptionHandlerOptions: { constraints: { audio: true, video: false } } };
let agent, session;

function watch(s) {
  session = s;
  const over = () => { if (session === s) { session = undefined; events.push("ended"); } };
  s.on("trackAdded", () => {
    const stream = new MediaStream();
    for (const { track } of s.sessionDescriptionHandler.peerConnection.getReceivers()) stream.addTrack(track);
    remote.srcObject = stream;
  });
  s.on("accepted", () => events.push("up"));
  s.on("bye", over);
  s.on("failed", over);
  s.on("cancel", over);
  s.on("terminated", over);
}

const changed = (act) => new Promise((done, failed) => {
  session.once("reinviteAccepted", () => done(true));
  session.once("reinviteFailed", () => failed(new Error("re-INVITE failed")));
  act();
});

window.client = {
  start: ({ server, domain, user, password }) => new Promise((done, failed) => {
    agent = new UA({
      uri: `${user}@${domain}`, authorizationUser: user, password, transportOptions: { wsServers: [server] },
      sessionDescriptionHandlerFactoryOptions: { peerConnectionOptions: { rtcConfiguration: { iceServers: [] } } },
    });
    agent.on("registered", () => done(true));
    agent.on("registrationFailed", (response, cause) => failed(new Error(cause)));
    agent.on("invite", (s) => { watch(s); events.push("incoming"); });
    agent.start();
  }),
  stop: () => new Promise((done) => {
    agent.on("unregistered", () => done(true));
    agent.unregister();
  }),
  call: (to) => { watch(agent.invite(to, media)); },
  answer: () => { session.accept(media); },
  hangUp: () => { session.terminate(); },
  hold: () => changed(() => session.hold()),
  resume: () => changed(() => session.unhold()),
  inform: (key) => { session.dtmf(key); },
  restart: () => changed(() => session.reinvite({ sessionDescriptionHandlerOptions: { RTCOfferOptions: { iceRestart: true } } })),
  refer: (to) => { session.refer(`${to}@${agent.configuration.uri.host}`); },
  press: (key) => { session.dtmf(key); },
};
