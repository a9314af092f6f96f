// Pictures, voices, videos.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../text";
import { Icon } from "../../ui/Icon";

/** How long the waves move for a recording that this browser cannot play. */
const PRETENDED_MS = 2000;

export function Picture({ url }: { url: string }) {
  const [broken, setBroken] = useState(false);
  if (broken)
    return (
      <p class="bubble other">
        <Icon name="picture" size={18} /> {t().phone.picture}
      </p>
    );
  return <img class="picture" src={url} alt={t().phone.picture} onError={() => setBroken(true)} />;
}

export function Voice({ url, transcript }: { url: string; transcript?: string | null | undefined }) {
  const words = t().phone;
  const { playing, toggle, note, duration } = usePlayer(url);
  return (
    <div class="voice">
      <button type="button" class="bubble voice-bubble" aria-pressed={playing} onClick={toggle}>
        <span class={playing ? "waves playing" : "waves"} aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        <span class="sr-only">{playing ? words.stopVoice : words.playVoice}</span>
        <span aria-hidden="true">{duration ? `${Math.max(1, Math.round(duration))}″` : words.voice}</span>
      </button>
      {transcript && (
        <p class="transcript">
          <span>{words.transcript}</span>
          {transcript}
        </p>
      )}
      {note && <p class="how">{note}</p>}
    </div>
  );
}

function usePlayer(url: string) {
  const audio = useRef<HTMLAudioElement | null>(null);
  const timer = useRef(0);
  const [playing, setPlaying] = useState(false);
  const [note, setNote] = useState("");
  const [duration, setDuration] = useState(0);
  const stop = () => {
    clearTimeout(timer.current);
    audio.current?.pause();
    setPlaying(false);
  };
  useEffect(() => stop, [url]);
  const pretend = () => {
    setNote(t().phone.cannotPlay);
    timer.current = window.setTimeout(stop, PRETENDED_MS);
  };
  const toggle = () => {
    if (playing) return stop();
    setPlaying(true);
    const player = (audio.current ??= new Audio(url));
    player.onended = stop;
    player.onloadedmetadata = () => Number.isFinite(player.duration) && setDuration(player.duration);
    player.play().catch(pretend); // phones record AMR, which no browser plays
  };
  return { playing, toggle, note, duration };
}

export function Video({ url, title, description }: { url: string; title: string; description: string }) {
  return (
    <figure class="card video-card">
      <video controls preload="metadata" src={url} aria-label={title || t().phone.video} />
      {(title || description) && (
        <figcaption>
          <strong>{title}</strong>
          <span>{description}</span>
        </figcaption>
      )}
    </figure>
  );
}
