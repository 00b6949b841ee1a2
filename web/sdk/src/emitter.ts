// Typed events.

import type { Unsubscribe } from "./types.ts";

/** Keeps listeners for the events of E and calls them in the order they were added. */
export class Emitter<E> {
  readonly #listeners: { [K in keyof E]?: Set<(value: E[K]) => void> } = {};

  on<K extends keyof E>(event: K, listener: (value: E[K]) => void): Unsubscribe {
    const set = (this.#listeners[event] ??= new Set());
    set.add(listener);
    return () => set.delete(listener);
  }

  /** A listener that throws does not keep the others from hearing; its error goes to the console like any uncaught one. */
  emit<K extends keyof E>(event: K, value: E[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
