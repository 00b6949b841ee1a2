import "../ui/tokens.css";
import "./phone.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import type { Phone } from "../sdk/src/index.ts";
import { callForAttention } from "./attention.ts";
import { Banner } from "./banner.tsx";
import { CallPanel } from "./call.tsx";
import { Dialer } from "./dialer.tsx";
import { Incoming } from "./incoming.tsx";
import { listenForKeys } from "./keys.ts";
import { Login } from "./login.tsx";
import { Masthead } from "./masthead.tsx";
import { Model } from "./model.ts";
import { RecentCalls } from "./recent-calls.tsx";
import { Ringer } from "./ringer.ts";
import { ToastView } from "./toast.tsx";

/** Shows the softphone in root. */
export function startApp(root: Element, phone: Phone): void {
  const model = new Model(phone, localStorage);
  const ringer = new Ringer();
  ringer.follow(model);
  callForAttention(model);
  void model.start(takeToken());
  render(<App model={model} ringer={ringer} />, root);
}

/** Takes the token out of the address (#token=...), so that it stays in no history and no copied link. */
function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token;
}

interface AppProps {
  readonly model: Model;
  readonly ringer: Ringer;
}

function App({ model, ringer }: AppProps) {
  useEffect(() => listenForKeys(model), [model]);
  const session = model.session.value;
  if (session === "starting") {
    return (
      <main class="splash" aria-busy="true">
        <p role="status">{model.state.value.kind === "reconnecting" && "The server cannot be reached. Trying again."}</p>
      </main>
    );
  }
  return (
    <>
      {session === "signed-in" ? <Desk model={model} ringer={ringer} /> : <Login model={model} />}
      <ToastView model={model} />
    </>
  );
}

/** The page of a user who is logged in: the phone, and beside it what was before. */
function Desk({ model, ringer }: AppProps) {
  const ringing = model.ringing.value;
  const current = model.current.value;
  return (
    <div class="desk">
      <Masthead model={model} ringer={ringer} />
      <Banner model={model} />
      <main class="phone" data-lamp={ringing ? "rings" : current ? "busy" : "idle"}>
        <h1 class="visually-hidden">Phone</h1>
        <div aria-live="assertive">{ringing && <Incoming key={ringing.call.id} model={model} view={ringing} inCall={current !== undefined} silenced={ringer.silenced.value} />}</div>
        {current && <CallPanel key={current.call.createdAt} model={model} view={current} />}
        {!ringing && !current && <Dialer model={model} />}
      </main>
      <aside class="side">
        <RecentCalls model={model} />
        {document.documentElement.hasAttribute("data-demo") && <DemoHint />}
        <Shortcuts />
      </aside>
    </div>
  );
}

function DemoHint() {
  return (
    <section class="hint">
      <h2>Call yourself</h2>
      <p>This server carries a simulated phone network. Ring this phone from a mobile and watch the other phones ring with it.</p>
      <a class="button" href="/demo" target="offhook-demo">
        Open the simulated phone network
      </a>
    </section>
  );
}

function Shortcuts() {
  return (
    <section class="shortcuts" aria-label="Keyboard">
      <dl>
        {shortcuts.map(([keys, action]) => (
          <div key={action}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const shortcuts: readonly (readonly [readonly string[], string])[] = [
  [["0–9", "*", "#"], "dial, or send tones"],
  [["Enter"], "call"],
  [["Esc"], "clear"],
  [["A"], "answer"],
  [["D"], "decline"],
  [["M"], "mute"],
  [["H"], "hang up"],
];
