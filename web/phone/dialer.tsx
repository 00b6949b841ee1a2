import { EraseIcon, HandsetIcon } from "../ui/icons.tsx";
import { Keypad } from "../ui/keypad.tsx";
import type { Model } from "./model.ts";

/** The idle phone: what to dial, by keys or by text. */
export function Dialer({ model }: { readonly model: Model }) {
  const entry = model.entry.value;
  const busy = model.busy.value;
  const ready = model.state.value.kind === "online" && !busy;

  const submit = (event: Event) => {
    event.preventDefault();
    void model.dial(entry);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      model.entry.value = "";
    }
  };

  return (
    <form class="dialer" onSubmit={submit}>
      <div class="entry">
        <input
          aria-label="Number or name to call"
          placeholder="Number or name"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={128}
          data-testid="dial-input"
          value={entry}
          onInput={(event) => (model.entry.value = event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="button" class="button quiet" aria-label="Erase the last character" disabled={entry === ""} onClick={() => (model.entry.value = entry.slice(0, -1))}>
          <EraseIcon />
        </button>
      </div>
      <Keypad label="Dial pad" onKey={(key) => (model.entry.value += key)} />
      <button class="button go big" disabled={!ready || entry.trim() === ""} data-testid="dial-call">
        <HandsetIcon />
        {busy ? "Opening the microphone" : "Call"}
      </button>
      {!isSecureContext && <p class="warning">This page is neither HTTPS nor on localhost: the browser withholds the microphone, so calls cannot have sound.</p>}
    </form>
  );
}
