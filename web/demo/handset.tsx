import { useSignal } from "@preact/signals";
import { formatNumber, title } from "../ui/format.ts";
import { HandsetIcon, HangUpIcon, KeypadIcon } from "../ui/icons.tsx";
import { Keypad } from "../ui/keypad.tsx";
import { Meter } from "../ui/meter.tsx";
import type { Model } from "./model.ts";
import { SoundChoice } from "./sound-choice.tsx";
import { Timer } from "./timer.tsx";
import type { DemoPhone, State } from "./wire.ts";

interface HandsetProps {
  readonly model: Model;
  readonly phone: DemoPhone;
  readonly state: State;
}

/** The mobile that the visitor calls with. */
export function Handset({ model, phone, state }: HandsetProps) {
  const free = phone.state === "idle" || phone.state === "offline";
  return (
    <section class="handset" data-state={phone.state} data-testid={`phone-${phone.id}`} aria-label={phone.name}>
      <header>
        <h2>{phone.name}</h2>
        <p class="via">{free ? phone.last || "Ready to call" : formatNumber(phone.number)}</p>
      </header>
      {free ? <Dial model={model} phone={phone} state={state} /> : <InCall model={model} phone={phone} />}
    </section>
  );
}

function Dial({ model, phone, state }: HandsetProps) {
  const to = model.to.value;
  const submit = (event: Event) => {
    event.preventDefault();
    void model.call(phone, to);
  };
  return (
    <form onSubmit={submit}>
      <label class="field">
        <span>Call from</span>
        <select data-testid="caller" value={model.caller.value} onChange={(event) => (model.from.value = event.currentTarget.value)}>
          {state.callers.map((caller) => (
            <option key={caller.number} value={caller.number}>
              {caller.name ? `${caller.name}, ${formatNumber(caller.number)}` : formatNumber(caller.number)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Number to call</span>
        <input
          inputMode="tel"
          autocomplete="off"
          maxLength={32}
          placeholder={formatNumber(state.numbers[0]?.number ?? "")}
          data-testid="dial-input"
          value={to}
          onInput={(event) => (model.to.value = event.currentTarget.value)}
        />
      </label>
      <ul class="samples" aria-label="Numbers to try">
        {state.numbers.map((entry) => (
          <li key={entry.number}>
            <button type="button" aria-pressed={to === entry.number} data-testid={`number-${entry.number}`} onClick={() => (model.to.value = entry.number)}>
              <b>{entry.name || formatNumber(entry.number)}</b>
              {entry.name && <span>{formatNumber(entry.number)}</span>}
              <small>Rings {entry.rings}</small>
            </button>
          </li>
        ))}
      </ul>
      <button class="button go big" disabled={to.trim() === "" || phone.state === "offline" || !model.connected.value} data-testid="dial-call">
        <HandsetIcon />
        Call
      </button>
    </form>
  );
}

function InCall({ model, phone }: { readonly model: Model; readonly phone: DemoPhone }) {
  const keypad = useSignal(false);
  return (
    <div class="in-call">
      <p class="line" role="status">
        <span class={phone.state === "talking" ? "lamp ready" : "lamp rings"} aria-hidden="true" />
        {phone.state === "talking" ? "Talking" : phone.state === "ringing" ? "Rings" : "Calling"}
      </p>
      <p class="peer">{phone.peer ? title(phone.peer) : ""}</p>
      {phone.since !== undefined && <Timer model={model} since={phone.since} />}
      <Meter label="You hear" level={() => model.hears(phone.id)} />
      <SoundChoice model={model} phone={phone} />
      {phone.state === "talking" && (
        <button type="button" class="button" aria-pressed={keypad.value} onClick={() => (keypad.value = !keypad.value)}>
          <KeypadIcon />
          Keypad
        </button>
      )}
      {keypad.value && <Keypad label="Keypad" onKey={(key) => model.digit(phone, key)} />}
      <div class="orders">
        {phone.state === "ringing" && (
          <button type="button" class="button go big" data-testid="answer" onClick={() => model.order("answer", phone)}>
            <HandsetIcon />
            Answer
          </button>
        )}
        <button type="button" class="button stop big" data-testid="hangup" onClick={() => model.order("hang_up", phone)}>
          <HangUpIcon />
          Hang up
        </button>
      </div>
    </div>
  );
}
