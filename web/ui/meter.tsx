import { useEffect, useRef } from "preact/hooks";

const lamps = 28;
const hotFrom = 23;
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** How many lamps a level lights, on a scale of decibels from -54 to 0: ears hear that way. */
export function lit(level: number): number {
  if (level <= 0) {
    return 0;
  }
  const decibels = 20 * Math.log10(level);
  return Math.max(0, Math.min(lamps, Math.round(((decibels + 54) / 54) * lamps)));
}

interface MeterProps {
  readonly label: string;
  /** Loudness just now, 0 to 1. Asked for on every animation frame. */
  readonly level: () => number;
}

/** A row of lamps that follows a level. It writes to the DOM itself: 60 renders a second would be waste. */
export function Meter({ label, level }: MeterProps) {
  const row = useRef<HTMLDivElement>(null);
  const source = useRef(level);
  source.current = level;

  useEffect(() => {
    let shown = 0;
    let frame = 0;
    let last = 0;
    const draw = (time: number) => {
      frame = requestAnimationFrame(draw);
      if (reducedMotion.matches && time - last < 250) {
        return;
      }
      last = time;
      const target = lit(source.current());
      const next = target > shown ? target : Math.max(target, shown - 1); // falls slowly, rises at once
      if (next !== shown && row.current) {
        shown = next;
        Array.from(row.current.children).forEach((lamp, i) => lamp.classList.toggle("lit", i < shown));
      }
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, []);

  return (
    <div class="meter" aria-hidden="true">
      <span>{label}</span>
      <div class="meter-lamps" ref={row}>
        {Array.from({ length: lamps }, (_, i) => (
          <i key={i} class={i >= hotFrom ? "hot" : ""} />
        ))}
      </div>
    </div>
  );
}
