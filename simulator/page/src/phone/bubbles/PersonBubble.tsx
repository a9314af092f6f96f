import { t } from "../../text";
import type { Sent } from "../../types";
import { Icon } from "../../ui/Icon";
import { Picture, Video, Voice } from "./media";

/** What a person sent, as their own phone shows it. */
export function PersonBubble({ sent }: { sent: Exclude<Sent, { type: "event" }> }) {
  switch (sent.type) {
    case "text":
      return <p class="bubble">{sent.text}</p>;
    case "image":
      return <Picture url={sent.url} />;
    case "voice":
      return <Voice url={sent.url} transcript={sent.recognition} />;
    case "video":
      return <Video url={sent.url} title="" description="" />;
    case "location":
      return <Place lat={sent.lat} lon={sent.lon} label={sent.label} />;
    case "page":
      return (
        <div class="card link-card">
          <strong>{sent.title || t().mini.name}</strong>
          <small>{sent.path}</small>
        </div>
      );
    case "link":
      return (
        <div class="card link-card">
          <strong>{sent.title}</strong>
          <span>{sent.description}</span>
          <small>{sent.url}</small>
        </div>
      );
    default:
      return <p class="bubble other">{t().phone.other((sent as { type: string }).type)}</p>;
  }
}

function Place({ lat, lon, label }: { lat: number; lon: number; label: string }) {
  return (
    <div class="card place-card">
      <strong>{label || `${lat}, ${lon}`}</strong>
      <small>
        {lat}, {lon}
      </small>
      <span class="map" aria-hidden="true">
        <Icon name="place" size={26} />
      </span>
    </div>
  );
}
