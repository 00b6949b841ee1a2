// Runs before the scripts of every page of the end-to-end tests.
(() => {
  // The microphone is a tone, another one for each page, without echo
  // cancelling that would take it away.
  const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
  const tone = async (constraints) => {
    // Firefox tells its addresses only to a page that records.
    if (navigator.userAgent.includes("Firefox/")) asked.push(await ask(constraints));
    const context = new AudioContext({ sampleRate: 48000 });
    const oscillator = new OscillatorNode(context, { frequency: TONE_HZ });
    const gain = new GainNode(context, { gain: 0.4 });
    const out = new MediaStreamAudioDestinationNode(context);
    oscillator.connect(gain).connect(out);
    oscillator.start();
    await context.resume();
    return out.stream;
  };
  const asked = []; // while it is kept, it records
  if (navigator.mediaDevices) {
    navigator.mediaDevices.getUserMedia = tone;
  }

  // The connections of the page, the newest last.
  const peers = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...args) {
      super({ ...args[0], ...ICE_CONFIG }, ...args.slice(1));
      peers.push(this);
    }
  };

  // codec returns what the newest connection sends and receives, such as "audio/opus".
  const codec = async () => {
    const stats = await peers.at(-1).getStats();
    const used = [...stats.values()].filter((s) => s.type === "inbound-rtp" || s.type === "outbound-rtp");
    return [...new Set(used.map((s) => stats.get(s.codecId)?.mimeType))].join(" ");
  };

  // way returns how the newest connection reaches the server: the kind of its local
  // candidate and the transport to the relay or server, such as "relay tcp".
  const way = async () => {
    const stats = await peers.at(-1).getStats();
    const transport = [...stats.values()].find((s) => s.type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId);
    const local = stats.get(pair?.localCandidateId);
    return `${local?.candidateType} ${local?.relayProtocol ?? local?.protocol}`;
  };

  // What the page plays: a remote stream is heard only while an element plays it, so
  // the elements tell us the streams.
  const streams = new Set();
  const property = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...property,
    set(stream) {
      const old = property.get.call(this);
      if (old) streams.delete(old);
      if (stream instanceof MediaStream) streams.add(stream);
      property.set.call(this, stream);
    },
  });

  // What it plays without an element goes to the destination of a context.
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const copy = new MediaStreamAudioDestinationNode(this.context);
      connect.call(this, copy);
      streams.add(copy.stream);
    }
    return connect.call(this, to, ...rest);
  };

  const worklet = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process(inputs) {
      const input = inputs[0][0];
      this.port.postMessage(input ? input.slice() : new Float32Array(128));
      return true;
    }
  });`;

  // tap makes a node that gives its input to take: a worklet, which the page's own
  // work does not hold up, or, where the page's policy forbids one, its forerunner.
  const tap = async (context, take) => {
    try {
      await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
    } catch {
      const node = context.createScriptProcessor(4096, 1, 1);
      node.onaudioprocess = ({ inputBuffer }) => take(inputBuffer.getChannelData(0));
      return node;
    }
    const node = new AudioWorkletNode(context, "tap", { channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => take(data);
    return node;
  };

  // hear returns milliseconds of the mix of all playing streams, 16 bits, base64.
  const hear = async (milliseconds) => {
    const context = new AudioContext({ sampleRate: 48000 });
    try {
      const pcm = new Int16Array((milliseconds * 48000) / 1000);
      let filled = 0;
      let full;
      const done = new Promise((resolve) => { full = resolve; });
      const node = await tap(context, (samples) => {
        for (const sample of samples) {
          if (filled < pcm.length) pcm[filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
        }
        if (filled === pcm.length) full();
      });
      for (const stream of streams) {
        if (stream.getAudioTracks().length > 0) new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(node);
      }
      connect.call(node, context.destination); // else nothing pulls; it is silent
      await context.resume();
      await done;
      let binary = "";
      const bytes = new Uint8Array(pcm.buffer);
      for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
      return btoa(binary);
    } finally {
      await context.close();
    }
  };
  window.__lab = { hear, streams, codec, way, peers };
})();
