import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Model } from "./model.ts";

/** What needs attention above everything: a lost connection, or sound that the browser keeps off. */
export function Banner({ model }: { readonly model: Model }) {
  const blocked = useSignal(model.phone.audioBlocked);
  useEffect(() => model.phone.on("audioBlocked", (now) => (blocked.value = now)), [model, blocked]);
  const state = model.state.value;
  return (
    <div role="status" class="banners">
      {state.kind === "reconnecting" && (
        <p class="banner fault" data-testid="banner">
          <span class="lamp fault" aria-hidden="true" />
          <span>
            <b>Connection lost.</b> {model.current.value ? "Your call goes on." : "Calls do not reach you just now."} <Countdown to={state.retryAt} />
          </span>
        </p>
      )}
      {blocked.value && (
        <p class="banner">
          <span class="lamp rings" aria-hidden="true" />
          <span>The browser keeps the sound off.</span>
          <button type="button" class="button" onClick={() => void model.attempt(() => model.phone.unlockAudio())}>
            Turn it on
          </button>
        </p>
      )}
    </div>
  );
}

function Countdown({ to }: { readonly to: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 500);
    return () => clearInterval(timer);
  }, [now]);
  const seconds = Math.ceil((to - now.value) / 1000);
  return <span aria-hidden="true">{seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again."}</span>;
}
