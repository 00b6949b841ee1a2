// What the end of a leg means for people.

import type { CallState, Outcome, OutcomeKind } from "./types.ts";

const texts: Record<OutcomeKind, string> = {
  completed: "Call ended",
  cancelled: "Missed call: the caller gave up",
  answered_elsewhere: "Answered on another phone",
  declined_elsewhere: "Declined on another phone",
  missed: "Missed call",
  declined: "Declined",
  busy: "Busy",
  no_answer: "No answer",
  unreachable: "Not reachable",
  not_allowed: "This number is not allowed",
  no_media: "No audio connection",
  limit: "The talk time is used up",
  failed: "The call failed",
};

/** Makes an outcome with its usual text. */
export function outcome(kind: OutcomeKind, cause: number): Outcome {
  return { kind, cause, text: texts[kind] };
}

/** Translates a terminal event for a call that was in `state`. */
export function outcomeOf(direction: "incoming" | "outgoing", state: CallState["kind"], cause: number, reason: string): Outcome {
  return outcome(kindOf(direction, state, cause, reason), cause);
}

function kindOf(direction: "incoming" | "outgoing", state: CallState["kind"], cause: number, reason: string): OutcomeKind {
  switch (reason) {
    case "answered_elsewhere":
      return "answered_elsewhere";
    case "declined_elsewhere":
      return "declined_elsewhere";
    case "no_media":
      return "no_media";
    case "limit":
      return "limit";
    case "caller_gone":
      return state === "ringing" ? "cancelled" : "completed";
    case "timeout":
      return direction === "incoming" ? "missed" : "no_answer";
    case "shutdown":
      return "failed";
  }
  if (state === "active") return cause === 16 ? "completed" : "failed";
  return byCause(cause, direction);
}

// Q.850 causes of a call that was never active.
function byCause(cause: number, direction: "incoming" | "outgoing"): OutcomeKind {
  switch (cause) {
    case 16:
      return direction === "incoming" ? "cancelled" : "completed";
    case 17:
      return "busy";
    case 18:
      return direction === "incoming" ? "missed" : "unreachable";
    case 19:
      return direction === "incoming" ? "missed" : "no_answer";
    case 21:
      return "declined";
    case 26:
      return "answered_elsewhere";
    case 1:
    case 3:
    case 20:
    case 27:
    case 28:
      return "unreachable";
    case 57:
      return "not_allowed";
    default:
      return "failed";
  }
}
