// Callbacks that are named by symbols.

import type { ClientEvents } from "./names.ts";

type Callback<K extends keyof ClientEvents> = (...args: ClientEvents[K]) => unknown;

export class Callbacks {
  readonly #of: { [K in keyof ClientEvents]?: Map<symbol, Callback<K>> } = {};

  add<K extends keyof ClientEvents>(event: K, callback: Callback<K>): symbol {
    const name = Symbol(event);
    const all = (this.#of[event] ?? new Map<symbol, Callback<K>>()) as Map<symbol, Callback<K>>;
    all.set(name, callback);
    (this.#of as Record<K, Map<symbol, Callback<K>>>)[event] = all;
    return name;
  }

  remove(event: keyof ClientEvents, name: symbol): boolean {
    return this.#of[event]?.delete(name) ?? false;
  }

  clear(event: keyof ClientEvents): void {
    delete this.#of[event];
  }

  /** A callback that throws does not keep the others from hearing. */
  tell<K extends keyof ClientEvents>(event: K, ...args: ClientEvents[K]): void {
    const all = this.#of[event] as Map<symbol, Callback<K>> | undefined;
    for (const callback of [...(all?.values() ?? [])]) {
      try {
        callback(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
