import type { CallState, OutcomeKind, PhoneErrorKind } from "../sdk/src/index.ts";
import type { CallView } from "./model.ts";

/** What each failure means to the user, and what to do about it. */
const errors: Partial<Record<PhoneErrorKind, string>> = {
  microphone_denied: "The microphone is blocked. Allow it for this page in the browser's address bar, then try again.",
  microphone_missing: "No microphone found. Plug one in or choose another one under Sound.",
  microphone_busy: "Another program is using the microphone. Close it and try again.",
  microphone_insecure: "The browser withholds the microphone because this page is neither HTTPS nor on localhost.",
  speaker_failed: "The chosen speaker does not respond. Choose another one under Sound.",
  audio_blocked: "The browser keeps the sound off until you click on the page.",
  login_refused: "User name or password is wrong, or the link has expired.",
  locked_out: "Too many attempts, or the server is full. Wait a minute and try again.",
  session_ended: "This session was ended.",
  taken_over: "This phone was opened in another tab, which has it now.",
  not_connected: "There is no connection to the server.",
  timeout: "The server did not answer in time.",
  media_failed: "The browser could not set up audio for this call.",
  call_ended: "This call is already over.",
};

/** A sentence for people about anything that was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof Error) {
    const kind: string = "kind" in error && typeof error.kind === "string" ? error.kind : "";
    return errors[kind as PhoneErrorKind] ?? error.message;
  }
  return "Something went wrong.";
}

/** The line below the name in a call. */
export function callLine(view: CallView): string {
  if (view.audio === "interrupted") {
    return "Audio interrupted, reconnecting";
  }
  const lines: Record<CallState["kind"], string> = {
    calling: "Calling",
    ringing: "Ringing",
    connecting: "Connecting audio",
    active: "In call",
    ended: "Ended",
  };
  return lines[view.state.kind];
}

/** How a past call ended, for the list. */
export const outcomeLine: Record<OutcomeKind, string> = {
  completed: "",
  cancelled: "Missed",
  missed: "Missed",
  answered_elsewhere: "Answered elsewhere",
  declined_elsewhere: "Declined elsewhere",
  declined: "Declined",
  busy: "Busy",
  no_answer: "No answer",
  unreachable: "Not reachable",
  not_allowed: "Not allowed",
  no_media: "Audio failed",
  limit: "Talk time used up",
  failed: "Failed",
};
