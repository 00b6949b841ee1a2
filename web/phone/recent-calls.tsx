import { dialable, duration, formatNumber, title, when } from "../ui/format.ts";
import { IncomingIcon, MissedIcon, OutgoingIcon } from "../ui/icons.tsx";
import type { Model } from "./model.ts";
import { isMissed, type Recent } from "./recents.ts";
import { outcomeLine } from "./texts.ts";

/** Past calls; a click calls back. */
export function RecentCalls({ model }: { readonly model: Model }) {
  const list = model.recents.list.value;
  return (
    <section class="recents" aria-labelledby="recents-title">
      <header>
        <h2 id="recents-title">Recent calls</h2>
        {list.length > 0 && (
          <button type="button" class="button quiet" onClick={() => model.recents.clear()}>
            Clear
          </button>
        )}
      </header>
      {list.length === 0 ? (
        <p class="empty">Calls you make and get appear here. They are kept in this browser only.</p>
      ) : (
        <ul>
          {list.map((recent) => (
            <li key={recent.id}>
              <Row model={model} recent={recent} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Row({ model, recent }: { readonly model: Model; readonly recent: Recent }) {
  const missed = isMissed(recent);
  const number = dialable(recent.party);
  const line = [outcomeLine[recent.outcome], recent.party.name ? formatNumber(number) : "", recent.seconds > 0 ? duration(recent.seconds * 1000) : ""];
  return (
    <button type="button" class={missed ? "recent missed" : "recent"} disabled={number === ""} aria-label={label(recent)} onClick={() => void model.dial(number)}>
      {missed ? <MissedIcon /> : recent.direction === "incoming" ? <IncomingIcon /> : <OutgoingIcon />}
      <span class="who">
        <b>{title(recent.party)}</b>
        <small>{line.filter((part) => part !== "").join(" · ")}</small>
      </span>
      <time dateTime={new Date(recent.at).toISOString()}>{when(recent.at, Date.now())}</time>
    </button>
  );
}

function label(recent: Recent): string {
  const kind = isMissed(recent) ? "Missed call from" : recent.direction === "incoming" ? "Call from" : "Call to";
  return `${kind} ${title(recent.party)}, ${when(recent.at, Date.now())}. Call back.`;
}
