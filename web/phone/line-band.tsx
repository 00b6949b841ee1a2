const step = 32;
/** Columns and rows: a square, of which the strip shows the middle, as high as there is room. */
const side = 14;
const size = side * step;
const middle = size / 2;

/** What the line is doing: it rings here, it rings there, both are connected, or the connection is being repaired. */
export type LineMode = "rings" | "calls" | "connected" | "broken";

/** A strip of the switchboard above the call: the lamp that is lit, or the cord that connects. Decoration; the text beside it says the same. */
export function LineBand({ mode }: { readonly mode: LineMode }) {
  const at = (column: number, row: number) => [step / 2 + column * step, step / 2 + row * step] as const;
  const [hereX, hereY] = at(3, 5);
  const [thereX, thereY] = at(10, 5);
  const bow = middle + 92;
  const lamp = mode === "rings" ? [middle, middle] : [thereX, thereY];
  return (
    <svg class="band" data-mode={mode} viewBox={`0 0 ${size} ${size}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      {Array.from({ length: side * side }, (_, i) => {
        const [x, y] = at(i % side, Math.floor(i / side));
        return <circle key={i} class="jack" cx={x} cy={y} r="4.5" />;
      })}
      {mode !== "rings" && <path class="cord" d={`M${hereX} ${hereY}C${hereX + 10} ${bow} ${thereX - 10} ${bow} ${thereX} ${thereY}`} />}
      {mode !== "rings" && <circle class="plug" cx={hereX} cy={hereY} r="9" />}
      {(mode === "connected" || mode === "broken") && <circle class="plug" cx={thereX} cy={thereY} r="9" />}
      {(mode === "rings" || mode === "calls") && <circle class="jack-glow" cx={lamp[0]} cy={lamp[1]} r={mode === "rings" ? 52 : 18} />}
      {(mode === "rings" || mode === "calls") && <circle class="jack-lit" cx={lamp[0]} cy={lamp[1]} r={mode === "rings" ? 21 : 8} />}
    </svg>
  );
}
