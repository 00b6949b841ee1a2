import type { Model } from "./model.ts";

const dialKey = /^[0-9*#+]$/;
const callKey = /^[0-9*#]$/;
/** A key pressed this soon after a call came in was meant for something else. */
const settleMilliseconds = 600;

/**
 * The keyboard of the whole page: digits go to the dial pad or the call, A
 * answers, D declines, M mutes, H hangs up, Escape clears the entry. Text fields
 * and open dialogs keep their keys.
 */
export function listenForKeys(model: Model): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target) || isPressing(event) || document.querySelector("dialog[open]")) {
      return;
    }
    if (press(model, event.key)) {
      event.preventDefault();
    }
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

/** Carries out a key; false if it means nothing now. */
export function press(model: Model, key: string): boolean {
  const lower = key.toLowerCase();
  const ringing = model.ringing.value;
  if (ringing && (lower === "a" || lower === "d")) {
    if (Date.now() - ringing.call.createdAt >= settleMilliseconds) {
      void (lower === "a" ? model.answer(ringing.call) : model.decline(ringing.call));
    }
    return true;
  }
  const current = model.current.value;
  if (current) {
    if (callKey.test(key) && current.state.kind === "active") {
      void model.digit(current.call, key);
    } else if (lower === "m") {
      void model.mute(current.call);
    } else if (lower === "h") {
      void model.hangUp(current.call);
    } else {
      return false;
    }
    return true;
  }
  if (model.session.value !== "signed-in" || ringing) {
    return false;
  }
  if (dialKey.test(key)) {
    model.entry.value += key;
  } else if (key === "Backspace") {
    model.entry.value = model.entry.value.slice(0, -1);
  } else if (key === "Escape") {
    model.entry.value = "";
  } else if (key === "Enter" && model.entry.value) {
    void model.dial(model.entry.value);
  } else {
    return false;
  }
  return true;
}

/** Enter on a button is for that button. */
function isPressing(event: KeyboardEvent): boolean {
  return event.key === "Enter" && (event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
