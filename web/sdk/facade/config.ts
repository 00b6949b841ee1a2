// Where the server is, in the words of pages that were written for hosted ones.

import { ConfigRegion, type LoggingLevel } from "./names.ts";

/** What a client may be told. Unknown keys are ignored. */
export interface ConfigObject {
  region?: ConfigRegion;
  /** Base of the REST API, "https://host". */
  apiUrl?: string;
  /** Base of the signalling, "wss://host". */
  websocketUrl?: string;
  /** Of hosted servers; ours has one path. */
  websocketPath?: string;
  /** false tells no rtcStatsUpdate. */
  rtcStatsTelemetry?: boolean;
  /** The connection of a call is always repaired. */
  autoReconnectMedia?: boolean;
  loggingLevel?: LoggingLevel;
  customLoggers?: unknown[];
  disableInternalLogger?: boolean;
  noiseSuppression?: boolean;
}

/** The configuration as a class, as some pages make it. */
export class ClientConfig implements ConfigObject {
  region?: ConfigRegion;
  apiUrl?: string;
  websocketUrl?: string;
  websocketPath?: string;
  rtcStatsTelemetry?: boolean;
  autoReconnectMedia?: boolean;
  loggingLevel?: LoggingLevel;
  customLoggers?: unknown[];
  disableInternalLogger?: boolean;
  noiseSuppression?: boolean;

  constructor(config: ConfigObject | ConfigRegion = {}) {
    if (typeof config === "string") this.region = config;
    else Object.assign(this, config);
  }
}

/** The same under the name that constructors take. */
export class ClientInitConfig extends ClientConfig {}

const regions: Readonly<Record<ConfigRegion, string>> = { US: "us-3", EU: "eu-3", AP: "ap-3" };

/** Where REST and signalling are: as configured, else on the server that this script came from, else at the names of the region. */
export function addresses(config: ConfigObject, script: string | undefined): { api: string; socket: string } {
  const own = config.region === undefined ? originOf(script) : undefined;
  const region = regions[config.region ?? ConfigRegion.US];
  return {
    api: (config.apiUrl ?? own ?? `https://api-${region}.vonage.com`).replace(/\/+$/, ""),
    socket: config.websocketUrl ?? config.apiUrl ?? own ?? `wss://ws-${region}.vonage.com`,
  };
}

// A page that loads us from the CDN's name has the other names in its configuration.
function originOf(script: string | undefined): string | undefined {
  if (script === undefined || script === "") return undefined;
  const url = new URL(script);
  return url.hostname === "cdn.jsdelivr.net" || !url.protocol.startsWith("http") ? undefined : url.origin;
}
