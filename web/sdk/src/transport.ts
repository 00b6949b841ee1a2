// The socket below the signalling, behind an interface so that tests need none.

/** What a transport reports. After `closed` nothing more comes. */
export interface TransportEvents {
  opened(): void;
  /** One text frame. */
  message(text: string): void;
  /** The WebSocket close code; 1006 if the connection broke or could not be made. */
  closed(code: number): void;
}

/** One connection. */
export interface Transport {
  /** Sends one text frame; dropped if the connection is not open. */
  send(text: string): void;
  /** Closes; `closed` follows, if the connection was not closed before. */
  close(code: number): void;
}

/** Opens a connection to a ws: or wss: URL. Never throws: failures are `closed`. Reports nothing before it returned. */
export type OpenTransport = (url: string, events: TransportEvents) => Transport;

/** The browser's WebSocket. */
export const openWebSocket: OpenTransport = (url, events) => {
  let socket: WebSocket;
  try {
    socket = new WebSocket(url);
  } catch {
    queueMicrotask(() => events.closed(1006));
    return { send: () => undefined, close: () => undefined };
  }
  let over = false;
  const closed = (code: number): void => {
    if (over) return;
    over = true;
    events.closed(code);
  };
  socket.onopen = () => events.opened();
  socket.onmessage = (ev: MessageEvent<unknown>) => {
    if (!over && typeof ev.data === "string") events.message(ev.data);
  };
  socket.onclose = (ev) => closed(ev.code);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: (code) => {
      // A dead network may hold back the closing handshake for a minute.
      socket.close(code);
      setTimeout(() => closed(1006), 1000);
    },
  };
};

/** Makes the WebSocket URL from what an application gave: a page address, a WebSocket URL, or a path on this host. */
export function socketURL(url: string, base: string): string {
  const u = new URL(url, base);
  if (u.protocol === "https:") u.protocol = "wss:";
  if (u.protocol === "http:") u.protocol = "ws:";
  if (u.pathname === "/") u.pathname = "/ws";
  u.hash = "";
  return u.href;
}
