import { formatNumber, title } from "../ui/format.ts";
import { HandsetIcon, HangUpIcon } from "../ui/icons.tsx";
import { Meter } from "../ui/meter.tsx";
import type { Model } from "./model.ts";
import { SoundChoice } from "./sound-choice.tsx";
import { Timer } from "./timer.tsx";
import type { DemoPhone } from "./wire.ts";

const lamps: Record<DemoPhone["state"], string> = { offline: "fault", idle: "", calling: "busy", ringing: "rings", talking: "ready" };

/** One line about what a phone does. */
export function line(phone: DemoPhone): string {
  const peer = phone.peer ? title(phone.peer) : "";
  switch (phone.state) {
    case "offline":
      return "Not registered";
    case "idle":
      return phone.last ? `Last call: ${phone.last}` : "On the hook";
    case "calling":
      return `Calling ${peer}`;
    case "ringing":
      return `${peer} is calling`;
    case "talking":
      return `Talking with ${peer}`;
  }
}

interface PhoneCardProps {
  readonly model: Model;
  readonly phone: DemoPhone;
}

/** One of the phones that may ring. */
export function PhoneCard({ model, phone }: PhoneCardProps) {
  return (
    <article class="card" data-state={phone.state} data-testid={`phone-${phone.id}`} aria-label={phone.name}>
      <header>
        <span class={`lamp ${lamps[phone.state]}`} aria-hidden="true" />
        <h2>{phone.name}</h2>
        <p class="via">
          {formatNumber(phone.number)} · {phone.via}
        </p>
      </header>
      <p class="line" role="status">
        {line(phone)} {phone.state === "talking" && phone.since !== undefined && <Timer model={model} since={phone.since} />}
      </p>
      {phone.state === "talking" && (
        <>
          <Meter label="Hears" level={() => model.hears(phone.id)} />
          <SoundChoice model={model} phone={phone} />
        </>
      )}
      <Orders model={model} phone={phone} />
    </article>
  );
}

function Orders({ model, phone }: PhoneCardProps) {
  if (phone.state === "ringing") {
    return (
      <div class="orders">
        <button type="button" class="button stop" data-testid={`decline-${phone.id}`} onClick={() => model.order("decline", phone)}>
          <HangUpIcon />
          Decline
        </button>
        <button type="button" class="button go" data-testid={`answer-${phone.id}`} onClick={() => model.order("answer", phone)}>
          <HandsetIcon />
          Answer
        </button>
      </div>
    );
  }
  if (phone.state === "talking" || phone.state === "calling") {
    return (
      <div class="orders">
        <button type="button" class="button stop" data-testid={`hangup-${phone.id}`} onClick={() => model.order("hang_up", phone)}>
          <HangUpIcon />
          Hang up
        </button>
      </div>
    );
  }
  return null;
}
