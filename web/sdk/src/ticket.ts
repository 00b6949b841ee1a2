// The right to resume, kept over a page reload.

/** What resumes a device. */
export interface Ticket {
  readonly url: string;
  readonly device: string;
  readonly token: string;
}

const key = "offhook.resume";

/**
 * Saves the ticket when the page goes away. Not sooner: a duplicated tab gets a copy of sessionStorage, and would take the
 * living tab's calls over.
 */
export function saveOnLeave(current: () => Ticket | undefined): void {
  if (typeof sessionStorage === "undefined" || typeof addEventListener !== "function") return;
  addEventListener("pagehide", () => {
    const ticket = current();
    if (ticket !== undefined) sessionStorage.setItem(key, JSON.stringify(ticket));
  });
  // Back from the back/forward cache, the page goes on as it was.
  addEventListener("pageshow", (event) => {
    if (event.persisted) sessionStorage.removeItem(key);
  });
}

/** Takes the saved ticket for `url`, once. */
export function takeTicket(url: string): Ticket | undefined {
  if (typeof sessionStorage === "undefined") return undefined;
  const text = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isTicket(value) && value.url === url ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTicket(value: unknown): value is Ticket {
  if (typeof value !== "object" || value === null) return false;
  const { url, device, token } = value as Partial<Record<keyof Ticket, unknown>>;
  return typeof url === "string" && typeof device === "string" && typeof token === "string";
}
