import { useRef } from "preact/hooks";
import type { PhoneState } from "../sdk/src/index.ts";
import { LeaveIcon, SoundIcon } from "../ui/icons.tsx";
import { title } from "../ui/format.ts";
import type { Model } from "./model.ts";
import type { Ringer } from "./ringer.ts";
import { SoundDialog } from "./sound.tsx";

const words: Record<PhoneState["kind"], { readonly text: string; readonly lamp: string }> = {
  online: { text: "Ready", lamp: "ready" },
  connecting: { text: "Connecting", lamp: "" },
  reconnecting: { text: "Reconnecting", lamp: "fault" },
  offline: { text: "Offline", lamp: "fault" },
};

interface MastheadProps {
  readonly model: Model;
  readonly ringer: Ringer;
}

export function Masthead({ model, ringer }: MastheadProps) {
  const sound = useRef<HTMLDialogElement>(null);
  const state = model.state.value;
  const word = words[state.kind];
  return (
    <header class="masthead">
      <a class="wordmark" href="/">
        <img src="/icon.svg" alt="" />
        offhook
      </a>
      <p class="presence" role="status">
        <span class={`lamp ${word.lamp}`} aria-hidden="true" />
        <span data-testid="state" data-state={state.kind}>
          {word.text}
        </span>
        {state.kind === "online" && <b>{title(state.user)}</b>}
      </p>
      <button type="button" class="button quiet" aria-label="Sound and notifications" onClick={() => sound.current?.showModal()}>
        <SoundIcon />
        <span class="wide">Sound</span>
      </button>
      <button type="button" class="button quiet" aria-label="Log out" data-testid="logout" onClick={() => void model.logout()}>
        <LeaveIcon />
        <span class="wide">Log out</span>
      </button>
      <SoundDialog model={model} ringer={ringer} dialog={sound} />
    </header>
  );
}
