import type { Model } from "./model.ts";

/** The place of short messages. It is always there, so that screen readers hear of its changes. */
export function ToastView({ model }: { readonly model: Model }) {
  const toast = model.toast.value;
  return (
    <div class="toast-place" role={toast?.tone === "fault" ? "alert" : "status"}>
      {toast && (
        <p class={`toast ${toast.tone}`} data-testid="toast">
          {toast.text}
          <button type="button" aria-label="Close the message" onClick={() => (model.toast.value = undefined)}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
