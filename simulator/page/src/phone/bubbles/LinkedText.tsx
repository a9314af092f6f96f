// A text with its <a> tags made into what a tap does. The simulator found the links; here they are put in their places.
import type { JSX } from "preact";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import type { Link } from "../../types";
import { Icon } from "../../ui/Icon";
import { act } from "../act";

const TAG = /^<a ([^>]*)>([\s\S]*?)<\/a>/;

interface Piece {
  text: string;
  link?: Link;
  tag?: string;
}

/** The text between the links, and the links, in order: each whole tag with an address is the next link. */
function pieces(text: string, links: Link[]): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  let next = 0;
  for (let at = text.indexOf("<a "); at >= 0 && next < links.length; at = text.indexOf("<a ", at + 1)) {
    const [whole, attributes] = TAG.exec(text.slice(at)) ?? [];
    if (whole === undefined || !attributes?.includes('href="')) continue;
    const link = links[next++]!;
    found.push({ text: text.slice(from, at) }, { text: link.label, link, tag: attributes });
    from = at + whole.length;
    at = from - 1;
  }
  return [...found, { text: text.slice(from) }];
}

export function LinkedText({ text, links }: { text: string; links: Link[] }) {
  return (
    <p class="bubble">
      {pieces(text, links).map(({ text, link, tag }, index) => (link ? <Tap key={index} link={link} tag={tag ?? ""} /> : text))}
    </p>
  );
}

function Tap({ link, tag }: { link: Link; tag: string }): JSX.Element {
  if (link.kind === "menu") {
    const text = link.send ?? link.label;
    const message = link.id ? { text, bizmsgmenuid: link.id } : { text };
    return (
      <button type="button" class="text-link" title={`${t().phone.menuReplied}: ${text}`} onClick={() => act(message)}>
        {link.label}
      </button>
    );
  }
  if (link.kind === "mini_program") {
    const attribute = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? "";
    const open = () =>
      (overlay.value = { kind: "mini", appid: attribute("data-miniprogram-appid"), pagepath: attribute("data-miniprogram-path") });
    return (
      <button type="button" class="text-link" title={t().phone.opensMini} onClick={open}>
        <Icon name="link" size={14} />
        {link.label}
      </button>
    );
  }
  return (
    <button
      type="button"
      role="link"
      class="text-link"
      title={link.href}
      onClick={() => (overlay.value = { kind: "browser", url: link.href })}
    >
      {link.label}
    </button>
  );
}
