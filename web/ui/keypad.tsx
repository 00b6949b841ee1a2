const keys: readonly (readonly [key: string, letters: string, name: string])[] = [
  ["1", "", "1"],
  ["2", "ABC", "2"],
  ["3", "DEF", "3"],
  ["4", "GHI", "4"],
  ["5", "JKL", "5"],
  ["6", "MNO", "6"],
  ["7", "PQRS", "7"],
  ["8", "TUV", "8"],
  ["9", "WXYZ", "9"],
  ["*", "", "star"],
  ["0", "+", "0"],
  ["#", "", "hash"],
];

interface KeypadProps {
  readonly label: string;
  readonly onKey: (key: string) => void;
}

/** The twelve keys of a telephone. */
export function Keypad({ label, onKey }: KeypadProps) {
  return (
    <div class="keypad" role="group" aria-label={label}>
      {keys.map(([key, letters, name]) => (
        <button key={key} type="button" class="key" aria-label={name === key ? undefined : name} data-testid={`keypad-${name}`} onClick={() => onKey(key)}>
          <b>{key}</b> <span>{letters}</span>
        </button>
      ))}
    </div>
  );
}
