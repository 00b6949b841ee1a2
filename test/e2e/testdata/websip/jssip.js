// A page with JsSIP, as its documentation shows it.
import JsSIP from "jssip";

const remote = document.getElementById("remote");
const media = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
let agent, session;

function play(connection) {
  connection.addEventListener("track", ({ streams }) => { remote.srcObject = streams[0]; });
}

function watch({ originator, session: s }) {
  session = s;
  if (s.connection) play(s.connection);
  s.on("peerconnection", ({ peerconnection }) => play(peerconnection));
  s.on("progress", () => events.push(originator === "remote" ? "incoming" : "ringing"));
  s.on("confirmed", () => events.push("up"));
  s.on("hold", ({ originator: by }) => events.push("held by " + by));
  s.on("unhold", ({ originator: by }) => events.push("resumed by " + by));
  for (const end of ["ended", "failed"]) {
    s.on(end, ({ originator: by, cause }) => { session = undefined; events.push("ended"); console.log(end, by, cause); });
  }
}

window.client = {
  start: ({ server, domain, user, password }) => new Promise((done, failed) => {
    const socket = new JsSIP.WebSocketInterface(server);
    agent = new JsSIP.UA({ sockets: [socket], uri: `sip:${user}@${domain}`, password });
    agent.on("newRTCSession", watch);
    agent.on("registered", () => done(true));
    agent.on("registrationFailed", ({ cause }) => failed(new Error(cause)));
    agent.start();
  }),
  stop: () => new Promise((done) => {
    agent.on("unregistered", () => done(true));
    agent.unregister();
  }),
  call: (to) => { agent.call(to, media); },
  answer: () => { session.answer(media); },
  hangUp: () => { session.terminate(); },
  hold: () => new Promise((done) => { session.hold({}, () => done(true)); }),
  resume: () => new Promise((done) => { session.unhold({ useUpdate: true }, () => done(true)); }),
  inform: (key) => { session.sendDTMF(key, { transportType: "INFO" }); },
  restart: () => new Promise((done) => { session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => done(true)); }),
  refer: (to) => { session.refer(`sip:${to}@${agent.configuration.uri.host}`); },
  press: (key) => { session.sendDTMF(key, { transportType: "RFC2833" }); },
};
