// What the audio of a call is like, in the words of rtcStatsUpdate and callHangup.

import type { CallStats } from "../src/types.ts";
import type { RTCQuality } from "./names.ts";

/** Gathers the counters of one call. */
export class Quality {
  #jitter: number[] = [];
  #last: CallStats | undefined;

  add(stats: CallStats): void {
    this.#last = stats;
    this.#jitter.push(stats.jitterMs);
    if (this.#jitter.length > 720) this.#jitter.shift(); // an hour at one every 5 s
  }

  get value(): RTCQuality {
    const stats = this.#last;
    const sum = this.#jitter.reduce((a, b) => a + b, 0);
    const count = (stats?.packetsReceived ?? 0) + (stats?.packetsLost ?? 0);
    const loss = count === 0 ? 0 : (stats?.packetsLost ?? 0) / count;
    const mos = stats === undefined ? 0 : meanOpinion(loss, stats.roundTripMs ?? 0, stats.jitterMs);
    return {
      mos_score: mos,
      quality_percentage: mos === 0 ? 0 : Math.round(((mos - 1) / 3.5) * 100),
      jitter_min: this.#jitter.length === 0 ? 0 : Math.min(...this.#jitter),
      jitter_max: this.#jitter.length === 0 ? 0 : Math.max(...this.#jitter),
      jitter_avg: this.#jitter.length === 0 ? 0 : sum / this.#jitter.length,
      flaw_total: stats?.packetsLost ?? 0,
      packet_cnt: count,
      packet_loss_perc: loss * 100,
    };
  }
}

/** An estimate by the E-model (ITU-T G.107) for wideband-capable codecs with concealment: 1 to 4.5. */
function meanOpinion(loss: number, roundTripMs: number, jitterMs: number): number {
  const delay = roundTripMs / 2 + 2 * jitterMs + 20;
  const delayImpairment = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
  const lossImpairment = (95 * loss * 100) / (loss * 100 + 20);
  const r = Math.max(0, Math.min(100, 93.2 - delayImpairment - lossImpairment));
  return Math.round((1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6) * 100) / 100;
}
