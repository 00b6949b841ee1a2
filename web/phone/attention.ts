import { effect } from "@preact/signals";
import { detail, title } from "../ui/format.ts";
import type { Model } from "./model.ts";

/** Calls for the user while the page is in the background: page title and, if allowed, a notification. */
export function callForAttention(model: Model): void {
  const plain = document.title;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let timer: ReturnType<typeof setInterval> | undefined;
  let notification: Notification | undefined;

  effect(() => {
    const call = model.ringing.value?.call;
    clearInterval(timer);
    notification?.close();
    notification = undefined;
    document.title = plain;
    if (!call) {
      return;
    }
    const name = title(call.remote);
    const flash = `${name} is calling`;
    document.title = flash;
    if (!calm.matches) {
      timer = setInterval(() => (document.title = document.title === flash ? plain : flash), 1000);
    }
    if (document.hidden && "Notification" in window && Notification.permission === "granted") {
      notification = new Notification(flash, { body: detail(call.remote), tag: call.id, icon: "/icon.svg", requireInteraction: true });
      notification.onclick = () => window.focus();
    }
  });
}
