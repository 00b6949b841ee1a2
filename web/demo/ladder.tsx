import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { latestCall } from "./latest-call.ts";
import type { Model } from "./model.ts";
import type { LadderEntry, Lane } from "./wire.ts";

interface LadderProps {
  readonly model: Model;
  readonly lanes: readonly Lane[];
}

/** Who said what to whom: the messages of a call, in order. */
export function Ladder({ model, lanes }: LadderProps) {
  const everything = useSignal(false);
  const bottom = useRef<HTMLOListElement>(null);
  const all = model.ladder.value;
  const shown = everything.value ? all : latestCall(all);
  const start = shown[0]?.at ?? 0;

  useEffect(() => {
    bottom.current?.scrollTo({ top: bottom.current.scrollHeight });
  }, [shown.length]);

  return (
    <section class="ladder" aria-labelledby="ladder-title" style={{ "--lanes": lanes.length }}>
      <header>
        <h2 id="ladder-title">What happens on the wire</h2>
        <label class="check">
          <input type="checkbox" checked={everything.value} onChange={(event) => (everything.value = event.currentTarget.checked)} />
          All calls
        </label>
      </header>
      <div class="lanes" aria-hidden="true">
        <span />
        {lanes.map((lane) => (
          <b key={lane.id}>{lane.name}</b>
        ))}
      </div>
      {shown.length === 0 && <p class="empty">Place a call: every message appears here.</p>}
      <ol ref={bottom} data-testid="ladder" tabIndex={0} aria-label="Messages">
        {shown.map((entry, i) => (
          <Row key={entry.seq} entry={entry} lanes={lanes} start={start} gap={everything.value && i > 0 && entry.seq !== (shown[i - 1]?.seq ?? 0) + 1} />
        ))}
      </ol>
    </section>
  );
}

interface RowProps {
  readonly entry: LadderEntry;
  readonly lanes: readonly Lane[];
  readonly start: number;
  /** Entries before this one were lost. */
  readonly gap: boolean;
}

function Row({ entry, lanes, start, gap }: RowProps) {
  const from = lanes.findIndex((lane) => lane.id === entry.from);
  const to = lanes.findIndex((lane) => lane.id === entry.to);
  const [left, right] = [Math.min(from, to), Math.max(from, to)];
  const name = (i: number, id: string) => lanes[i]?.name ?? id;
  const direction = left === right ? "at" : to > from ? "right" : "left";
  return (
    <li data-kind={entry.kind} class={gap ? "gap" : ""}>
      <time>+{((entry.at - start) / 1000).toFixed(3)}</time>
      <span class="route">{left === right ? name(from, entry.from) : `${name(from, entry.from)} to ${name(to, entry.to)}`}</span>
      <span class={`arrow ${direction}`} style={{ "--left": Math.max(left, 0) + 2, "--right": Math.max(right, 0) + 3, "--span": right - left + 1 }}>
        <span class="text">
          <b>{entry.label}</b> <small>{entry.note}</small>
        </span>
      </span>
    </li>
  );
}
