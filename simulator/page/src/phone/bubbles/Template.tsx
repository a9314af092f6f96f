import { t } from "../../text";
import type { Bubble } from "../../types";
import { Icon } from "../../ui/Icon";
import { openPage } from "./AccountBubble";

/** A template or subscription message: a title, lines of name and value, and where it leads. */
export function Template({ shown }: { shown: Extract<Bubble, { type: "template" }> }) {
  return (
    <div class="card template-card">
      <strong>{shown.title}</strong>
      {shown.text && <p>{shown.text}</p>}
      {shown.fields && (
        <dl>
          {shown.fields.map((field, index) => (
            <div key={index}>
              <dt>{field.label ?? field.name}</dt>
              <dd style={field.color ? { color: field.color } : undefined}>{field.value}</dd>
            </div>
          ))}
        </dl>
      )}
      {shown.url && (
        <button type="button" class="template-more" onClick={() => openPage(shown.url!)}>
          {t().phone.details}
          <Icon name="down" size={14} />
        </button>
      )}
    </div>
  );
}
