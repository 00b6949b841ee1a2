const step = 32;
const columns = 14;
const rows = 4;
const width = columns * step;
const height = rows * step;

/** What the line is doing: it rings here, it rings there, both are connected, or the connection is being repaired. */
export type LineMode = "rings" | "calls" | "connected" | "broken";

/** A strip of the switchboard above the call: the lamp that is lit, or the cord that connects. Decoration; the text beside it says the same. */
export function LineBand({ mode }: { readonly mode: LineMode }) {
  const at = (column: number, row: number) => [step / 2 + column * step, step / 2 + row * step] as const;
  const [hereX, hereY] = at(3, 1);
  const [thereX, thereY] = at(10, 1);
  const lamp = mode === "rings" ? at(6.5, 1.5) : at(10, 1);
  return (
    <svg class="band" data-mode={mode} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      {Array.from({ length: columns * rows }, (_, i) => {
        const [x, y] = at(i % columns, Math.floor(i / columns));
        return <circle key={i} class="jack" cx={x} cy={y} r="4.5" />;
      })}
      {mode !== "rings" && <path class="cord" d={`M${hereX} ${hereY}C${hereX + 10} ${height * 1.02} ${thereX - 10} ${height * 1.02} ${thereX} ${thereY}`} />}
      {mode !== "rings" && <circle class="plug" cx={hereX} cy={hereY} r="9" />}
      {(mode === "connected" || mode === "broken") && <circle class="plug" cx={thereX} cy={thereY} r="9" />}
      {(mode === "rings" || mode === "calls") && <circle class="jack-glow" cx={lamp[0]} cy={lamp[1]} r={mode === "rings" ? 34 : 18} />}
      {(mode === "rings" || mode === "calls") && <circle class="jack-lit" cx={lamp[0]} cy={lamp[1]} r={mode === "rings" ? 14 : 8} />}
    </svg>
  );
}
