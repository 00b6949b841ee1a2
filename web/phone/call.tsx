import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { HangUpIcon, KeypadIcon, MicIcon, MicOffIcon } from "../ui/icons.tsx";
import { detail, duration, title } from "../ui/format.ts";
import { Keypad } from "../ui/keypad.tsx";
import { Meter } from "../ui/meter.tsx";
import { LineBand, type LineMode } from "./line-band.tsx";
import type { CallView, Model } from "./model.ts";
import { callLine } from "./texts.ts";

interface CallPanelProps {
  readonly model: Model;
  readonly view: CallView;
}

/** The call the user is in, or makes. */
export function CallPanel({ model, view }: CallPanelProps) {
  const { call, state, muted } = view;
  const keypad = useSignal(false);
  const sent = useSignal("");
  const active = state.kind === "active";

  const press = (digit: string) => {
    sent.value = (sent.value + digit).slice(-20);
    void model.digit(call, digit);
  };

  return (
    <section class="call" aria-label={`Call with ${title(call.remote)}`} data-testid="call" data-state={state.kind} data-keypad={keypad.value || undefined}>
      <LineBand mode={lineMode(view)} />
      <p class="eyebrow" role="status" data-testid="call-state">
        <span class={`lamp ${view.audio === "interrupted" ? "fault" : active ? "ready" : "rings"}`} aria-hidden="true" />
        {callLine(view)}
      </p>
      <div class="caller">
        <h1 data-testid="call-name">{title(call.remote)}</h1>
        <p class="number">{detail(call.remote)}</p>
        {active && <Timer since={state.since} />}
      </div>

      {keypad.value ? (
        <div class="tones">
          <output aria-label="Keys sent">{sent.value}</output>
          <Keypad label="Keypad" onKey={press} />
        </div>
      ) : (
        <div class="meters">
          <Meter label="You" level={() => (muted ? 0 : call.level("local"))} />
          <Meter label="Them" level={() => call.level("remote")} />
          <MicrophoneHint view={view} />
        </div>
      )}

      <div class="pair">
        <button type="button" class="button big toggle" aria-pressed={muted} data-testid="mute" onClick={() => void model.mute(call)}>
          {muted ? <MicOffIcon /> : <MicIcon />}
          {muted ? "Muted" : "Mute"}
        </button>
        <button
          type="button"
          class="button big toggle"
          aria-pressed={keypad.value}
          disabled={!active}
          data-testid="keypad-toggle"
          onClick={() => (keypad.value = !keypad.value)}
        >
          <KeypadIcon />
          Keypad
        </button>
      </div>
      <button type="button" class="button stop big" data-testid="hangup" onClick={() => void model.hangUp(call)}>
        <HangUpIcon />
        {active || call.direction === "incoming" ? "Hang up" : "Cancel"}
      </button>
    </section>
  );
}

function lineMode(view: CallView): LineMode {
  if (view.audio === "interrupted") {
    return "broken";
  }
  return view.state.kind === "active" || view.state.kind === "connecting" ? "connected" : "calls";
}

/** How long both have heard each other. */
function Timer({ since }: { readonly since: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    now.value = Date.now();
    const timer = setInterval(() => (now.value = Date.now()), 250);
    return () => clearInterval(timer);
  }, [since, now]);
  return (
    <p class="timer" role="timer" data-testid="timer" aria-live="off">
      {duration(now.value - since)}
    </p>
  );
}

const silentAfter = 5000;

/** Says that the microphone gives nothing at all, the most common reason not to be heard. */
function MicrophoneHint({ view }: { readonly view: CallView }) {
  const silent = useSignal(false);
  const { call, muted } = view;
  const listening = view.state.kind === "active" && !muted;
  useEffect(() => {
    silent.value = false;
    if (!listening) {
      return undefined;
    }
    let heardAt = Date.now();
    const timer = setInterval(() => {
      if (call.level("local") > 0.0005) {
        heardAt = Date.now();
      }
      silent.value = Date.now() - heardAt > silentAfter;
    }, 200);
    return () => clearInterval(timer);
  }, [call, listening, silent]);
  return (
    <p class="note" role="status">
      {silent.value && "Your microphone is silent. Choose another one under Sound."}
    </p>
  );
}
