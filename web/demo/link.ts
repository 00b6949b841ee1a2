import type { Command, ServerMessage } from "./wire.ts";

export interface LinkEvents {
  readonly open: () => void;
  readonly lost: () => void;
  readonly message: (message: ServerMessage) => void;
  readonly audio: (frame: ArrayBuffer) => void;
}

/** The connection to the simulated network. */
export interface Link {
  command(command: Command): void;
  audio(frame: ArrayBuffer): void;
}

const firstRetry = 500;
const lastRetry = 8000;
/** More audio than this waiting to be sent is late already: it is dropped. */
const mostWaiting = 16_000;

/** Connects to path on this page's host, and again whenever the connection is lost. */
export function connect(path: string, events: LinkEvents): Link {
  let socket: WebSocket | undefined;
  let retry = firstRetry;

  const open = () => {
    const opened = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket = opened;
    opened.binaryType = "arraybuffer";
    opened.onopen = () => {
      retry = firstRetry;
      events.open();
    };
    opened.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") {
        events.message(JSON.parse(event.data) as ServerMessage);
      } else {
        events.audio(event.data);
      }
    };
    opened.onclose = () => {
      socket = undefined;
      events.lost();
      setTimeout(open, retry * (0.5 + Math.random() / 2));
      retry = Math.min(retry * 2, lastRetry);
    };
  };
  open();

  const ready = () => (socket?.readyState === WebSocket.OPEN ? socket : undefined);
  return {
    command: (command) => ready()?.send(JSON.stringify(command)),
    audio: (frame) => {
      const now = ready();
      if (now && now.bufferedAmount < mostWaiting) {
        now.send(frame);
      }
    },
  };
}
