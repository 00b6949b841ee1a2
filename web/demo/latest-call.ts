import type { LadderEntry } from "./wire.ts";

/** Legs of one call may begin this long after the last message of another, in milliseconds. */
const slack = 500;

interface Span {
  from: number;
  to: number;
}

/**
 * The entries of the newest call. Entries are marked by leg and a call has
 * several; what tells that legs belong together is that they overlap in time.
 */
export function latestCall(entries: readonly LadderEntry[]): readonly LadderEntry[] {
  const legs = new Map<string, Span>();
  for (const { call, at } of entries) {
    const span = legs.get(call);
    legs.set(call, span ? { from: Math.min(span.from, at), to: Math.max(span.to, at) } : { from: at, to: at });
  }
  const newest = entries.at(-1);
  const call = newest && legs.get(newest.call);
  if (!newest || !call) {
    return [];
  }
  const chosen = new Set([newest.call]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [leg, span] of legs) {
      if (!chosen.has(leg) && span.from <= call.to + slack && span.to >= call.from - slack) {
        chosen.add(leg);
        call.from = Math.min(call.from, span.from);
        call.to = Math.max(call.to, span.to);
        grew = true;
      }
    }
  }
  return entries.filter((entry) => chosen.has(entry.call));
}
