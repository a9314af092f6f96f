import { api, told } from "../api";
import { view } from "../store/live";
import { span, t } from "../text";

/** Past a quota's minute, past a token, past the 48 hours, past a media id. */
const STEPS_S = [300, 7200, 48 * 3600, 72 * 3600];

export function ClockSettings() {
  const words = t().clock;
  const { advanced_ms } = view.value!;
  return (
    <section class="group" role="group" aria-labelledby="clock-title">
      <h2 id="clock-title">
        {words.title}
        <span class="tag">{advanced_ms > 0 ? words.ahead(span(advanced_ms)) : words.now}</span>
      </h2>
      <p class="hint above">{words.hint}</p>
      <div class="events">
        {STEPS_S.map((step) => (
          <button
            key={step}
            type="button"
            class="chip"
            aria-label={words.advance(span(step * 1000))}
            onClick={() => void told(api.clock(step))}
          >
            + {span(step * 1000)}
          </button>
        ))}
      </div>
    </section>
  );
}
