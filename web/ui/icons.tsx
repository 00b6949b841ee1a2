/** Line icons on a 24 px grid; decoration only, the text beside them says it. */

interface IconProps {
  readonly path: string;
  readonly filled?: boolean;
}

function Icon({ path, filled = false }: IconProps) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={path}
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        stroke-width={filled ? 0 : 1.8}
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

const handset =
  "M6.6 3.5h2.7c.5 0 .9.3 1 .8l.8 3.2c.1.4 0 .8-.4 1.1L8.8 10c1 2.2 2.9 4.2 5.2 5.2l1.4-1.9c.3-.3.7-.5 1.1-.4l3.2.8c.5.1.8.5.8 1v2.7c0 1.7-1.4 3.1-3.1 3C10 19.9 4.1 14 3.5 6.6c0-1.7 1.4-3.1 3.1-3.1z";

export const HandsetIcon = () => <Icon path={handset} filled />;
export const HangUpIcon = () => (
  <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <g transform="rotate(135 12 12)">
      <path d={handset} fill="currentColor" />
    </g>
  </svg>
);
export const MicIcon = () => <Icon path="M12 3.5a2.7 2.7 0 0 0-2.7 2.7v5.3a2.7 2.7 0 0 0 5.4 0V6.2A2.7 2.7 0 0 0 12 3.5zM5.8 11.5a6.2 6.2 0 0 0 12.4 0M12 17.7v3" />;
export const MicOffIcon = () => <Icon path="M9.3 9.3v2.2a2.7 2.7 0 0 0 4.4 2.1M14.7 10.5V6.2a2.7 2.7 0 0 0-5.2-1M5.8 11.5a6.2 6.2 0 0 0 9.9 5M18.2 11.5c0 .9-.2 1.7-.5 2.5M12 17.7v3M4 3.5l16 17" />;
export const KeypadIcon = () => (
  <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="currentColor">
    {[6, 12, 18].flatMap((x) => [5, 11, 17].map((y) => <circle key={`${x}-${y}`} cx={x} cy={y + 1} r="1.7" />))}
  </svg>
);
export const SoundIcon = () => <Icon path="M4 7h9M17 7h3M4 17h3M11 17h9M13 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0" />;
export const EraseIcon = () => <Icon path="M8.5 5.5H20v13H8.5L3 12zM11.5 9.5l5 5M16.5 9.5l-5 5" />;
export const IncomingIcon = () => <Icon path="M18 6 7 17M7 9v8h8" />;
export const OutgoingIcon = () => <Icon path="M6 18 17 7M9 7h8v8" />;
export const MissedIcon = () => <Icon path="M4 8l8 8 8-8M4 14V8h6" />;
export const LeaveIcon = () => <Icon path="M10 4.5H5.5v15H10M10 12h9.5M16 8.5l3.5 3.5-3.5 3.5" />;
