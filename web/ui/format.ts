/** How numbers, people and times are written for people. */

interface PartyLike {
  readonly user?: string;
  readonly number?: string;
  readonly name?: string;
}

/**
 * Groups a number for reading: "12995550100", with or without "+", is
 * "+1 299 555 0100". Short numbers and names stay as they are.
 */
export function formatNumber(number: string): string {
  const digits = number.replace(/^\+/, "");
  if (/^1[2-9]\d{9}$/.test(digits)) {
    return `+1 ${digits.slice(1, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`;
  }
  return /^[1-9]\d{8,14}$/.test(digits) ? `+${digits}` : number;
}

/** The most telling name of a party. */
export function title(party: PartyLike): string {
  return party.name || formatNumber(party.number ?? "") || party.user || "Unknown caller";
}

/** What else is known, for the line below the title; "" if nothing. */
export function detail(party: PartyLike): string {
  if (party.name) {
    return formatNumber(party.number ?? "") || party.user || "";
  }
  return party.number ? (party.user ?? "") : "";
}

/** What to dial to reach a party; "" if it cannot be called back. */
export function dialable(party: PartyLike): string {
  return party.number || party.user || "";
}

/** A duration: "0:07", "12:04", "1:02:03". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** When something happened: the time today, "Yesterday", or the date. */
export function when(at: number, now: number): string {
  const date = new Date(at);
  const today = new Date(now);
  const day = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((day(today) - day(date)) / 86_400_000);
  if (days === 0) {
    return date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  }
  return days === 1 ? "Yesterday" : date.toLocaleDateString([], { day: "numeric", month: "short" });
}
