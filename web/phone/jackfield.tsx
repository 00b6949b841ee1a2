const columns = 14;
const rows = 16;
const step = 44;

/** A switchboard with one line plugged through and one lamp lit: decoration of the login page. */
export function Jackfield() {
  const at = (column: number, row: number) => [step / 2 + column * step, step / 2 + row * step] as const;
  const [fromX, fromY] = at(4, 5);
  const [toX, toY] = at(10, 8);
  const [lampX, lampY] = at(8, 3);
  return (
    <svg class="jackfield" viewBox={`0 0 ${columns * step} ${rows * step}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      {Array.from({ length: columns * rows }, (_, i) => {
        const [x, y] = at(i % columns, Math.floor(i / columns));
        return <circle key={i} class="jack" cx={x} cy={y} r="6" />;
      })}
      <circle class="jack-glow" cx={lampX} cy={lampY} r="17" />
      <circle class="jack-lit" cx={lampX} cy={lampY} r="7" />
      <path class="cord" d={`M${fromX} ${fromY}C${fromX - 30} ${fromY + 330} ${toX + 40} ${toY + 260} ${toX} ${toY}`} />
      <circle class="plug" cx={fromX} cy={fromY} r="10" />
      <circle class="plug" cx={toX} cy={toY} r="10" />
    </svg>
  );
}
