import { useEffect, useRef } from "preact/hooks";
import type { IncomingCall } from "../sdk/src/index.ts";
import { HandsetIcon, HangUpIcon } from "../ui/icons.tsx";
import { detail, formatNumber, title } from "../ui/format.ts";
import { LineBand } from "./line-band.tsx";
import type { CallView, Model } from "./model.ts";

interface IncomingProps {
  readonly model: Model;
  readonly view: CallView & { readonly call: IncomingCall };
  readonly inCall: boolean;
  /** The browser keeps the ringing off until the user clicks. */
  readonly silenced: boolean;
}

/** A call that rings. */
export function Incoming({ model, view, inCall, silenced }: IncomingProps) {
  const { call } = view;
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    // The keyboard comes here, unless the user is writing something.
    const active = document.activeElement;
    if (!(active instanceof HTMLInputElement) || active.value === "") {
      panel.current?.focus();
    }
  }, []);

  const to = call.to.number ?? "";
  return (
    <section class="incoming" ref={panel} tabIndex={-1} aria-label="Incoming call" data-testid="incoming">
      <LineBand mode="rings" />
      <p class="eyebrow">
        <span class="lamp rings" aria-hidden="true" />
        Incoming call
      </p>
      <div class="caller">
        <h1 data-testid="incoming-name">{title(call.remote)}</h1>
        <p class="number" data-testid="incoming-number">
          {detail(call.remote)}
        </p>
        {to && <p class="dialled">for {call.to.name || formatNumber(to)}</p>}
      </div>
      <div class="pair">
        <button type="button" class="button stop big" data-testid="decline" onClick={() => void model.decline(call)}>
          <HangUpIcon />
          Decline
          <kbd aria-hidden="true">D</kbd>
        </button>
        <button type="button" class="button go big" data-testid="answer" disabled={model.busy.value} onClick={() => void model.answer(call)}>
          <HandsetIcon />
          {inCall ? "Switch" : "Answer"}
          <kbd aria-hidden="true">A</kbd>
        </button>
      </div>
      {silenced && <p class="note">Click anywhere to hear it ring.</p>}
      {inCall && <p class="note">Answering ends the call you are in.</p>}
    </section>
  );
}
