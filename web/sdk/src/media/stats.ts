// Reads RTCPeerConnection statistics (webrtc-stats).

import type { CallStats } from "../types.ts";

type Entry = Readonly<Record<string, unknown>>;

/** Picks what a call shows from a statistics report. */
export function readStats(report: Iterable<Entry>): CallStats {
  const entries = [...report];
  const find = (type: string): Entry => entries.find((e) => e["type"] === type && (e["kind"] ?? "audio") === "audio") ?? {};
  const inbound = find("inbound-rtp");
  const outbound = find("outbound-rtp");
  const codec = entries.find((e) => e["type"] === "codec" && e["id"] === (inbound["codecId"] ?? outbound["codecId"])) ?? {};
  const pair = entries.find((e) => e["type"] === "candidate-pair" && e["nominated"] === true && e["state"] === "succeeded") ?? {};
  const mime = codec["mimeType"];
  const roundTrip = pair["currentRoundTripTime"];
  const samples = num(inbound["totalSamplesReceived"]);
  return {
    codec: typeof mime === "string" ? mime.replace("audio/", "") : "",
    packetsSent: num(outbound["packetsSent"]),
    packetsReceived: num(inbound["packetsReceived"]),
    packetsLost: num(inbound["packetsLost"]),
    jitterMs: num(inbound["jitter"]) * 1000,
    roundTripMs: typeof roundTrip === "number" ? roundTrip * 1000 : undefined,
    concealedRatio: samples === 0 ? 0 : num(inbound["concealedSamples"]) / samples,
  };
}

function num(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
