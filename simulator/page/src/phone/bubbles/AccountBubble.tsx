import { mediaUrl } from "../../api";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import type { Article, Bubble } from "../../types";
import { Icon } from "../../ui/Icon";
import { act } from "../act";
import { Card } from "./Card";
import { Picture, Video, Voice } from "./media";
import { LinkedText } from "./LinkedText";

/** Opens a page in the phone's browser. */
export const openPage = (url: string) => (overlay.value = { kind: "browser", url });

type Shown = Exclude<Bubble, { type: "error" | "transfer" }>;

/** What the account sent, as the person's phone shows it. */
export function AccountBubble({ shown }: { shown: Shown }) {
  switch (shown.type) {
    case "text":
      return <LinkedText text={shown.text} links={shown.links} />;
    case "image":
      return <Picture url={mediaUrl(shown.media_id)} />;
    case "voice":
      return <Voice url={mediaUrl(shown.media_id)} />;
    case "video":
      return <Video url={mediaUrl(shown.media_id)} title={shown.title} description={shown.description} />;
    case "music":
      return <Music title={shown.title} description={shown.description} url={shown.url} />;
    case "news":
      return shown.articles.length === 1 ? <Single article={shown.articles[0]!} /> : <Several articles={shown.articles} />;
    case "menu":
      return <Menu head={shown.head} choices={shown.choices} tail={shown.tail} />;
    case "card":
      return <Card shown={shown} />;
    case "other":
      return <p class="bubble other">{t().phone.other(shown.msgtype)}</p>;
    default:
      return <p class="bubble other">{t().phone.other((shown as { type: string }).type)}</p>;
  }
}

function Music({ title, description, url }: { title: string; description: string; url: string }) {
  return (
    <div class="card music-card">
      <span class="music-disc" aria-hidden="true">
        <Icon name="music" size={22} />
      </span>
      <strong>{title}</strong>
      <span>{description}</span>
      {url && <audio controls preload="none" src={url} aria-label={`${t().phone.music}: ${title}`} />}
    </div>
  );
}

function Cover({ url }: { url: string }) {
  return url ? (
    <img class="cover" src={url} alt="" loading="lazy" />
  ) : (
    <span class="cover blank" aria-hidden="true">
      <Icon name="picture" />
    </span>
  );
}

function Single({ article }: { article: Article }) {
  return (
    <button type="button" class="card news-single" onClick={() => openPage(article.url)} disabled={!article.url}>
      {article.pic_url && <Cover url={article.pic_url} />}
      <strong>{article.title}</strong>
      {article.description && <span class="news-description">{article.description}</span>}
    </button>
  );
}

/** The first one large, the others in a list below it. */
function Several({ articles }: { articles: Article[] }) {
  return (
    <ul class="card news-list">
      {articles.map((article, index) => (
        <li key={index}>
          <button
            type="button"
            class={index === 0 ? "news-first" : "news-other"}
            onClick={() => openPage(article.url)}
            disabled={!article.url}
          >
            {index === 0 && <Cover url={article.pic_url} />}
            <strong>{article.title}</strong>
            {index > 0 && <Cover url={article.pic_url} />}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Menu({ head, choices, tail }: { head: string; choices: { id: string; content: string }[]; tail: string }) {
  return (
    <div class="bubble menu-bubble">
      {head && <p>{head}</p>}
      <ul>
        {choices.map(({ id, content }) => (
          <li key={id}>
            <button type="button" class="text-link" onClick={() => act({ text: content, bizmsgmenuid: id })}>
              {content}
            </button>
          </li>
        ))}
      </ul>
      {tail && <p>{tail}</p>}
    </div>
  );
}
