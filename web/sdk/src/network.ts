/** Calls back when the network may have changed or the computer woke up. Returns what stops it. */
export function watchNetwork(changed: () => void): () => void {
  if (typeof addEventListener !== "function" || typeof document === "undefined") return () => undefined;
  const woke = (): void => {
    if (document.visibilityState === "visible") changed();
  };
  addEventListener("online", changed);
  document.addEventListener("visibilitychange", woke);
  return () => {
    removeEventListener("online", changed);
    document.removeEventListener("visibilitychange", woke);
  };
}
