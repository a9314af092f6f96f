// One click, one message or event from the person whose phone is shown.
import { useState } from "preact/hooks";
import { act } from "../phone/act";
import { sampleImage, sampleVoice } from "../phone/samples";
import { person, view } from "../store/live";
import { column, narrow, overlay } from "../store/ui";
import { t } from "../text";
import type { Button, SendRequest } from "../types";

type Message = Omit<SendRequest, "as">;

/** Over what a text message may have on the phone, and over what one chat model reads at once. */
const LONG_BYTES = 20_000;

export function Events() {
  const words = t().events;
  const [open, setOpen] = useState<"" | "click" | "xml">("");
  const toggle = (what: "click" | "xml") => setOpen(open === what ? "" : what);
  const scan = () => {
    overlay.value = { kind: "scan" };
    if (narrow.value) column.value = "phone";
  };
  const items: [string, () => void, boolean?][] = [
    [words.subscribe, () => act({ event: { type: "subscribe" } })],
    [words.unsubscribe, () => act({ event: { type: "unsubscribe" } })],
    [words.scan, scan],
    [words.click, () => toggle("click"), open === "click"],
    [words.view, () => act({ event: { type: "view", key: "https://developers.weixin.qq.com/doc/" } })],
    [words.location, () => act({ event: { type: "LOCATION", fields: { Latitude: "23.1066", Longitude: "113.3245", Precision: "40.0" } } })],
    [words.image, () => void sampleImage().then((image) => act({ image }))],
    [words.voice, () => act({ voice: { data: sampleVoice(), format: "amr", recognition: words.voiceSample } })],
    [words.place, () => act({ location: { lat: 23.1066, lon: 113.3245, label: words.placeSample } })],
    [words.link, () => act({ link: words.linkSample })],
    [words.emoji, () => act({ text: "/::) 😀 👩‍👩‍👧 [微笑]" })],
    [words.long, () => act({ text: longText(words.longSample) })],
    [words.xml, () => toggle("xml"), open === "xml"],
  ];
  return (
    <section class="group" role="group" aria-labelledby="events-title">
      <h2 id="events-title">{words.title}</h2>
      <div class="events">
        {items.map(([label, work, expanded]) => (
          <button
            key={label}
            type="button"
            class="chip"
            onClick={work}
            aria-expanded={expanded}
            title={label === words.long ? words.showLong(LONG_BYTES) : undefined}
          >
            {label}
          </button>
        ))}
      </div>
      {open === "click" && <Click />}
      {open === "xml" && <Xml />}
    </section>
  );
}

function longText(sentence: string): string {
  const bytes = new TextEncoder().encode(sentence).length;
  return sentence.repeat(Math.ceil(LONG_BYTES / bytes));
}

/** The keys of the person's menu, and any other. */
function Click() {
  const words = t().events;
  const keys = clickKeys(person.value?.menu ?? []);
  const [key, setKey] = useState(keys[0] ?? "KEY");
  const send = (event: Event) => {
    event.preventDefault();
    act({ event: { type: "click", key } });
  };
  return (
    <form class="inline-form" onSubmit={send}>
      <input list="click-keys" value={key} aria-label={words.clickKey} onInput={(event) => setKey(event.currentTarget.value)} />
      <datalist id="click-keys">
        {keys.map((known) => (
          <option key={known} value={known} />
        ))}
      </datalist>
      <button type="submit" class="button small">
        {t().send}
      </button>
    </form>
  );
}

const clickKeys = (menu: Button[]): string[] =>
  menu.flatMap((button) => [...(button.type === "click" && button.key ? [button.key] : []), ...clickKeys(button.sub_button ?? [])]);

function Xml() {
  const words = t().events;
  const [xml, setXml] = useState(() => template());
  const send = (event: Event) => {
    event.preventDefault();
    const message: Message = { xml };
    act(message);
  };
  return (
    <form class="inline-form column" onSubmit={send}>
      <textarea
        class="mono"
        rows={8}
        spellcheck={false}
        value={xml}
        aria-label={words.xml}
        onInput={(event) => setXml(event.currentTarget.value)}
      />
      <p class="hint">{words.xmlHint}</p>
      <button type="submit" class="button small">
        {words.xmlSend}
      </button>
    </form>
  );
}

function template(): string {
  const now = Math.floor(Date.now() / 1000);
  return `<xml>
<ToUserName><![CDATA[${view.value?.account.original_id ?? ""}]]></ToUserName>
<FromUserName><![CDATA[${person.value?.openid ?? ""}]]></FromUserName>
<CreateTime>${now}</CreateTime>
<MsgType><![CDATA[text]]></MsgType>
<Content><![CDATA[你好]]></Content>
<MsgId>${now}0000001</MsgId>
</xml>`;
}
