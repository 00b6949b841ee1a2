/** How long to wait before connection attempt number `attempt` (1, 2, ...), in milliseconds; `random` is 0-1. */
export function backoff(attempt: number, random: number): number {
  const base = Math.min(500 * 2 ** (attempt - 1), 15_000);
  // Spread, so that a thousand browsers do not come back in the same second.
  return Math.round(base * (0.5 + random / 2));
}
