// Errors with a kind for programs and a plain sentence for people.

import type { PhoneError, PhoneErrorKind } from "./types.ts";

const sentences: Record<PhoneErrorKind, string> = {
  microphone_denied: "The microphone is not allowed. Allow it for this page in the browser's address bar and try again.",
  microphone_missing: "No microphone was found. Plug one in and try again.",
  microphone_busy: "The microphone cannot be opened. Another program may be using it.",
  microphone_insecure: "The browser gives no microphone to this page because it was not loaded by HTTPS.",
  speaker_failed: "This speaker cannot be used. Choose another one.",
  audio_blocked: "The browser plays sound only after a click on the page.",
  login_refused: "Login failed. Check user and password.",
  locked_out: "The server takes no login now. Wait a little and try again.",
  taken_over: "This phone was opened in another tab.",
  session_ended: "The application ended this session.",
  not_connected: "There is no connection to the server.",
  refused: "The server refused the request.",
  timeout: "The server does not answer.",
  call_ended: "The call is over, or not ready for this.",
  media_failed: "The browser could not set up audio.",
  protocol: "The server said something unexpected.",
};

class SdkError extends Error implements PhoneError {
  override readonly name = "PhoneError";
  readonly kind: PhoneErrorKind;
  readonly reason?: string;

  constructor(kind: PhoneErrorKind, message: string, reason?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    if (reason !== undefined) this.reason = reason;
  }
}

/** Makes an error of a kind with its usual sentence. `cause` is for the console. */
export function phoneError(kind: PhoneErrorKind, cause?: unknown): PhoneError {
  return new SdkError(kind, sentences[kind], undefined, cause);
}

/** Makes the error for a request that the server refused. `reason` is the server's kind. */
export function refusedError(reason: string, message: string): PhoneError {
  return new SdkError("refused", message === "" ? sentences.refused : message, reason);
}

/** True for the errors that this SDK makes. */
export function isPhoneError(error: unknown): error is PhoneError {
  return error instanceof SdkError;
}

/** Passes our own errors on, and gives `kind` to any other. */
export function asPhoneError(error: unknown, kind: PhoneErrorKind): PhoneError {
  return isPhoneError(error) ? error : phoneError(kind, error);
}

/** Says what a failed getUserMedia means (Media Capture and Streams, section 10.2). */
export function microphoneError(error: unknown): PhoneError {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return phoneError("microphone_denied", error);
    case "NotFoundError":
    case "OverconstrainedError":
      return phoneError("microphone_missing", error);
    default: // NotReadableError, AbortError, InvalidStateError
      return phoneError("microphone_busy", error);
  }
}
