import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { duration } from "../ui/format.ts";
import type { Model } from "./model.ts";

/** How long a phone has been in its state. */
export function Timer({ model, since }: { readonly model: Model; readonly since: number }) {
  const age = useSignal(model.age(since));
  useEffect(() => {
    age.value = model.age(since);
    const timer = setInterval(() => (age.value = model.age(since)), 500);
    return () => clearInterval(timer);
  }, [model, since, age]);
  return (
    <span class="since" role="timer" aria-live="off">
      {duration(age.value)}
    </span>
  );
}
