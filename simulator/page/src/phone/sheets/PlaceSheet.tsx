import { useState } from "preact/hooks";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { Icon } from "../../ui/Icon";
import { act, tapMenu } from "../act";
import { Sheet } from "./Sheet";

/** A place to send; a menu button of that kind sends it after the event. */
export function PlaceSheet({ button }: { button: number[] | undefined }) {
  const words = t().sheets;
  const [place, setPlace] = useState(words.places[0]!);
  const send = (event: Event) => {
    event.preventDefault();
    overlay.value = null;
    if (button) void tapMenu(button, { location: place });
    else void act({ location: place });
  };
  const number = (text: string) => Number.parseFloat(text) || 0;
  return (
    <Sheet title={words.place}>
      <div class="places">
        {words.places.map((one) => (
          <button key={one.label} type="button" class="chip" aria-pressed={one.label === place.label} onClick={() => setPlace(one)}>
            <Icon name="place" size={14} />
            {one.label}
          </button>
        ))}
      </div>
      <form class="fields" onSubmit={send}>
        <label>
          {words.label}
          <input value={place.label} onInput={(event) => setPlace({ ...place, label: event.currentTarget.value })} />
        </label>
        <div class="two">
          <label>
            {words.lat}
            <input
              type="number"
              step="any"
              min={-90}
              max={90}
              value={place.lat}
              onInput={(event) => setPlace({ ...place, lat: number(event.currentTarget.value) })}
            />
          </label>
          <label>
            {words.lon}
            <input
              type="number"
              step="any"
              min={-180}
              max={180}
              value={place.lon}
              onInput={(event) => setPlace({ ...place, lon: number(event.currentTarget.value) })}
            />
          </label>
        </div>
        <button type="submit" class="button primary">
          {t().send}
        </button>
      </form>
    </Sheet>
  );
}
