import { Handset } from "./handset.tsx";
import { Ladder } from "./ladder.tsx";
import type { Model } from "./model.ts";
import { PhoneCard } from "./phone-card.tsx";

/** The page of the simulated phone network. */
export function App({ model }: { readonly model: Model }) {
  const state = model.state.value;
  const visitor = model.visitor.value;
  const others = model.phones.value.filter((phone) => !phone.visitor);
  return (
    <div class="network">
      <header class="masthead">
        <a class="wordmark" href="/">
          <img src="/icon.svg" alt="" />
          offhook
        </a>
        <p class="connection" role="status" data-testid="connection">
          <span class={model.connected.value ? "lamp ready" : "lamp fault"} aria-hidden="true" />
          {model.connected.value ? "Network running" : "Connection lost, trying again"}
        </p>
      </header>
      <section class="intro" aria-labelledby="about">
        <h1 id="about">Simulated phone network</h1>
        <p>
          Real SIP on this machine: a carrier with mobiles, and desk phones that are registered with offhook. Call a number and see who rings, or{" "}
          <a href="/docs">let a program of yours answer</a>.
        </p>
      </section>
      <Messages model={model} />
      {state && visitor && (
        <main>
          <Handset model={model} phone={visitor} state={state} />
          <section class="phones" aria-label="Phones">
            {others.map((phone) => (
              <PhoneCard key={phone.id} model={model} phone={phone} />
            ))}
            <Softphones list={state.softphones} />
          </section>
          <Ladder model={model} lanes={state.lanes} />
        </main>
      )}
    </div>
  );
}

function Messages({ model }: { readonly model: Model }) {
  return (
    <div role="alert" class="messages">
      {model.error.value && (
        <p class="message" data-testid="toast">
          {model.error.value}
        </p>
      )}
      {model.voiceError.value && <p class="message">{model.voiceError.value}</p>}
    </div>
  );
}

interface SoftphonesProps {
  readonly list: readonly { readonly user: string; readonly name: string; readonly url: string }[];
}

function Softphones({ list }: SoftphonesProps) {
  return (
    <article class="card softphones">
      <header>
        <h2>Your browser</h2>
        <p class="via">WebRTC, in another tab</p>
      </header>
      <p>Open a softphone, already logged in. It rings with the other phones.</p>
      <div class="orders">
        {list.map((softphone) => (
          <a key={softphone.user} class="button primary" href={softphone.url} target={`offhook-${softphone.user}`} data-testid={`softphone-${softphone.user}`}>
            Open as {softphone.name || softphone.user}
          </a>
        ))}
      </div>
    </article>
  );
}
