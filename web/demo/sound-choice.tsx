import type { Model } from "./model.ts";
import type { DemoPhone, Sound } from "./wire.ts";

const sounds: readonly (readonly [Sound, string])[] = [
  ["silence", "Silent"],
  ["tone", "Tone"],
  ["voice", "My voice"],
];

/** What a phone says into its call. */
export function SoundChoice({ model, phone }: { readonly model: Model; readonly phone: DemoPhone }) {
  return (
    <fieldset class="sounds">
      <legend class="visually-hidden">What {phone.name} says</legend>
      {sounds.map(([sound, label]) => (
        <label key={sound}>
          <input
            type="radio"
            name={`sound-${phone.id}`}
            checked={phone.sound === sound && (sound !== "voice" || phone.yours)}
            data-testid={`sound-${sound}-${phone.id}`}
            onChange={() => void model.sound(phone, sound)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
