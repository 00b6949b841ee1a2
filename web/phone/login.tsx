import { useSignal } from "@preact/signals";
import { Jackfield } from "./jackfield.tsx";
import type { Model } from "./model.ts";

const userKey = "offhook.user";

export function Login({ model }: { readonly model: Model }) {
  const user = useSignal(localStorage.getItem(userKey) ?? ""); // the name only: passwords belong to the browser's own keeper
  const password = useSignal("");
  const busy = model.session.value === "signing-in";
  const waiting = busy && model.state.value.kind === "reconnecting";

  const submit = (event: Event) => {
    event.preventDefault();
    localStorage.setItem(userKey, user.value);
    void model.login({ user: user.value.trim(), password: password.value });
  };

  return (
    <main class="login">
      <Jackfield />
      <form class="login-form" onSubmit={submit}>
        <p class="wordmark">
          <img src="/icon.svg" alt="" />
          offhook
        </p>
        <h1>Log in to your phone</h1>
        <label class="field">
          <span>User</span>
          <input
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            maxLength={64}
            data-testid="login-user"
            value={user.value}
            onInput={(event) => (user.value = event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Password</span>
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={256}
            data-testid="login-password"
            value={password.value}
            onInput={(event) => (password.value = event.currentTarget.value)}
          />
        </label>
        <p class="login-error" role="alert" data-testid="login-error">
          {waiting ? "The server cannot be reached. Trying again." : model.loginError.value}
        </p>
        <button class="button primary" disabled={busy} data-testid="login-submit">
          {busy ? "Logging in" : "Log in"}
        </button>
        {waiting && (
          <button type="button" class="button" onClick={() => void model.logout()}>
            Stop trying
          </button>
        )}
        {!isSecureContext && <p class="warning">This page is not secure (HTTPS or localhost), so the browser will withhold the microphone: calls will have no sound.</p>}
        {document.documentElement.hasAttribute("data-demo") && (
          <p class="login-demo">
            New here? <a href="/demo">Open the simulated phone network</a> and start from there, already logged in.
          </p>
        )}
      </form>
    </main>
  );
}
