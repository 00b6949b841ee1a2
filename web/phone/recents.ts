import { signal } from "@preact/signals";
import type { OutcomeKind, Party } from "../sdk/src/index.ts";

/** A past call, as it is kept in this browser only. */
export interface Recent {
  readonly id: string;
  readonly direction: "incoming" | "outgoing";
  readonly party: Party;
  /** When it began, Date.now(). */
  readonly at: number;
  readonly outcome: OutcomeKind;
  /** How long both heard each other. */
  readonly seconds: number;
}

/** The part of localStorage that is used. */
export type KeptValues = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const most = 50;

/** Past calls of one user, newest first. Storage that is full or forbidden only means that the list is lost on reload. */
export class Recents {
  readonly list = signal<readonly Recent[]>([]);
  private key = "";
  private readonly storage: KeptValues;

  constructor(storage: KeptValues) {
    this.storage = storage;
  }

  /** Shows the calls of user: people who share a browser do not share a list. */
  open(user: string): void {
    const key = `offhook.recents.${user}`;
    if (key === this.key) {
      return;
    }
    this.key = key;
    this.list.value = this.read();
  }

  /** Adds a call, once. */
  add(recent: Recent): void {
    const others = this.list.value.filter((known) => known.id !== recent.id);
    this.list.value = [recent, ...others].slice(0, most);
    try {
      this.storage.setItem(this.key, JSON.stringify(this.list.value));
    } catch {
      // Full or forbidden: see above.
    }
  }

  clear(): void {
    this.list.value = [];
    try {
      this.storage.removeItem(this.key);
    } catch {
      // Forbidden: nothing was kept either.
    }
  }

  private read(): readonly Recent[] {
    try {
      const kept: unknown = JSON.parse(this.storage.getItem(this.key) ?? "[]");
      return Array.isArray(kept) ? kept.filter(isRecent).slice(0, most) : [];
    } catch {
      return [];
    }
  }
}

/** Reports whether the call rang here and the user did not get to it. */
export function isMissed(recent: Recent): boolean {
  return recent.direction === "incoming" && (recent.outcome === "missed" || recent.outcome === "cancelled");
}

function isRecent(value: unknown): value is Recent {
  const r = value as Partial<Recent> | null;
  return (
    typeof r === "object" && r !== null && typeof r.id === "string" && typeof r.at === "number" && typeof r.seconds === "number" &&
    typeof r.outcome === "string" && (r.direction === "incoming" || r.direction === "outgoing") && typeof r.party === "object" && r.party !== null
  );
}
