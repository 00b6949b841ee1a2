// The few requests that a client makes by REST, with its user's token.

import { VonageError } from "./names.ts";

/** A user as pages see it. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly imageUrl: string | undefined;
  readonly customData: unknown;
}

export type Fetch = (url: string, init: { method: string; headers: Record<string, string>; body?: string }) => Promise<Response>;

export class Rest {
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: Fetch;

  constructor(base: string, token: string, fetch: Fetch) {
    this.#base = base;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** Finds a user by id, "USR-...", or by name. */
  async user(idOrName: string): Promise<User> {
    if (idOrName.startsWith("USR-")) return toUser(await this.ask("GET", `/v1/users/${encodeURIComponent(idOrName)}`));
    const found = await this.ask("GET", `/v0.3/users?name=${encodeURIComponent(idOrName)}`);
    const list = field(field(found, "_embedded"), "users");
    if (!Array.isArray(list) || list.length === 0) throw new VonageError("CS_ERROR", "user:error:not-found", `there is no user ${idOrName}`);
    return toUser(list[0]);
  }

  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await this.#fetch(this.#base + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    } catch (error) {
      throw new VonageError("NETWORK_ERROR", "network:error", "the server cannot be reached", error);
    }
    const text = await response.text();
    if (!response.ok) throw new VonageError("CS_ERROR", `http:error:${response.status}`, text === "" ? response.statusText : text);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function toUser(value: unknown): User {
  const name = text(field(value, "name")) ?? "";
  return {
    id: text(field(value, "id")) ?? "",
    name,
    displayName: text(field(value, "display_name")) ?? name,
    imageUrl: text(field(value, "image_url")),
    customData: field(field(value, "properties"), "custom_data"),
  };
}
