import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import type { AudioDevice } from "../sdk/src/index.ts";
import type { Model } from "./model.ts";
import { canChooseRinger, type Ringer } from "./ringer.ts";

interface SoundDialogProps {
  readonly model: Model;
  readonly ringer: Ringer;
  readonly dialog: RefObject<HTMLDialogElement | null>;
}

/** The choice of microphone, speaker and ringer, and of notifications. */
export function SoundDialog({ model, ringer, dialog }: SoundDialogProps) {
  const phone = model.phone;
  const devices = useSignal(phone.devices);
  const ringerDevice = useSignal(ringer.device);
  useEffect(() => phone.on("devices", (now) => (devices.value = now)), [phone, devices]);
  const { microphones, speakers, microphone, speaker, canChooseSpeaker } = devices.value;
  const unnamed = microphones.every((device) => device.label === "");

  return (
    <dialog class="sound" ref={dialog} aria-labelledby="sound-title">
      <form method="dialog">
        <h2 id="sound-title">Sound</h2>
        {unnamed && (
          <p>
            The browser names the devices once it may use the microphone.{" "}
            <button type="button" class="button" onClick={() => void model.attempt(() => phone.prepareMicrophone())}>
              Allow the microphone
            </button>
          </p>
        )}
        <DeviceField label="Microphone" devices={microphones} chosen={microphone} onChoose={(id) => void model.attempt(() => phone.setMicrophone(id))} />
        {canChooseSpeaker && (
          <DeviceField label="Speaker" devices={speakers} chosen={speaker} onChoose={(id) => void model.attempt(() => phone.setSpeaker(id))} />
        )}
        {canChooseRinger && (
          <DeviceField
            label="Ringer"
            devices={speakers}
            chosen={ringerDevice.value}
            onChoose={(id) => {
              ringerDevice.value = id;
              void model.attempt(() => ringer.setDevice(id));
            }}
          />
        )}
        <div class="row">
          <button type="button" class="button" onClick={() => void ringer.test()}>
            Try the ringer
          </button>
          <Notifications model={model} />
        </div>
        <button class="button primary">Done</button>
      </form>
    </dialog>
  );
}

interface DeviceFieldProps {
  readonly label: string;
  readonly devices: readonly AudioDevice[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function DeviceField({ label, devices, chosen, onChoose }: DeviceFieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">System default</option>
        {devices
          .filter((device) => device.id !== "")
          .map((device, i) => (
            <option key={device.id} value={device.id}>
              {device.label || `${label} ${i + 1}`}
            </option>
          ))}
      </select>
    </label>
  );
}

function Notifications({ model }: { readonly model: Model }) {
  const permission = useSignal<NotificationPermission | "missing">("Notification" in window ? Notification.permission : "missing");
  if (permission.value !== "default") {
    return <small>{permission.value === "granted" ? "Notifications are on." : "Notifications are off in this browser."}</small>;
  }
  const ask = async () => {
    permission.value = await Notification.requestPermission();
  };
  return (
    <button type="button" class="button" onClick={() => void model.attempt(ask)}>
      Notify me of calls
    </button>
  );
}
