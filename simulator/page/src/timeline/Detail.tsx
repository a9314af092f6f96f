// One request in full. It is read again whenever it changes.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, told } from "../api";
import { serverNow } from "../store/clock";
import { toast } from "../store/ui";
import { span, t } from "../text";
import type { Exchange, ExchangeDetail, Headers } from "../types";
import { Tabs } from "../ui/controls";
import { Icon } from "../ui/Icon";
import { Checks } from "./Checks";
import { Code } from "./Code";

type TabName = "plain" | "cipher" | "response" | "headers" | "curl";

/** Stays when another request is chosen: who compares cipher texts wants to see cipher texts. */
const tab = signal<TabName>("plain");

export function Detail({ exchange }: { exchange: Exchange }) {
  const detail = useDetail(exchange);
  const words = t().detail;
  if (!detail) return <p class="empty">{words.loading}</p>;
  const isPush = detail.kind === "push";
  const all: { value: TabName; label: string; panel: () => ComponentChildren }[] = [
    { value: "plain", label: isPush ? words.tabs.plain : words.request, panel: () => <Plain detail={detail} /> },
    { value: "cipher", label: words.tabs.cipher, panel: () => <Cipher detail={detail} /> },
    { value: "response", label: words.tabs.response, panel: () => <Response detail={detail} /> },
    { value: "headers", label: words.tabs.headers, panel: () => <HeaderLists detail={detail} /> },
    { value: "curl", label: words.tabs.curl, panel: () => <Code text={detail.curl} label={words.tabs.curl} kind="text" /> },
  ];
  const tabs = all.filter(({ value }) => isPush || value !== "cipher");
  const value = tabs.some((one) => one.value === tab.value) ? tab.value : "plain";
  return (
    <div class={isPush ? "detail-split" : "detail-split single"}>
      <Tabs
        label={words.title}
        tabs={tabs}
        value={value}
        onChange={(value) => (tab.value = value)}
        after={isPush && <Resend exchange={exchange} />}
      />
      {isPush && <Checks detail={detail} />}
    </div>
  );
}

/** Milliseconds after which a server may find a timestamp too old: then a message is signed anew. */
const STALE = 60_000;

function Resend({ exchange }: { exchange: Exchange }) {
  const words = t().detail;
  const resend = async () => {
    // The answer comes when the delivery is over; a refusal comes at once.
    toast(words.resent);
    await told(api.resend(exchange.id, serverNow() - exchange.at_ms > STALE));
  };
  return (
    <button type="button" class="button small" onClick={() => void resend()}>
      <Icon name="again" size={14} />
      {words.resend}
    </button>
  );
}

function useDetail(exchange: Exchange): ExchangeDetail | undefined {
  const [detail, setDetail] = useState<ExchangeDetail>();
  useEffect(() => {
    let here = true;
    void told(api.exchange(exchange.id)).then((found) => here && found && setDetail(found));
    return () => void (here = false);
  }, [exchange]);
  return detail;
}

const requestLine = ({ method, request }: ExchangeDetail) => `${method} ${request.url}`;

/** What a push says before it is sealed; of other requests, the body. */
function Plain({ detail }: { detail: ExchangeDetail }) {
  const words = t().detail;
  const text = detail.plain ?? detail.request.body;
  return <Code text={text} label={words.tabs.plain} head={requestLine(detail)} empty={words.emptyBody} />;
}

function Cipher({ detail }: { detail: ExchangeDetail }) {
  const words = t().detail;
  const { body } = detail.request;
  const sealed = detail.plain === null || body !== detail.plain;
  return (
    <>
      {!sealed && <p class="hint padded">{words.notSealed}</p>}
      <Code text={body} label={words.tabs.cipher} head={requestLine(detail)} empty={words.emptyBody} />
    </>
  );
}

function Response({ detail }: { detail: ExchangeDetail }) {
  const words = t().detail;
  const { response, reply_plain, elapsed_ms, state, result } = detail;
  if (!response) return <p class="hint padded">{state === "running" ? words.noResponse : `${words.neverCame} ${result}`}</p>;
  const head = `HTTP ${response.status}${elapsed_ms === null ? "" : ` · ${span(elapsed_ms)}`}`;
  const decrypted = reply_plain !== null && reply_plain !== response.body;
  return (
    <>
      {decrypted && <Code text={reply_plain} label={words.replyPlain} head={words.replyPlain} />}
      <Code text={response.body} label={words.replyRaw} head={decrypted ? `${words.replyRaw} · ${head}` : head} empty={words.emptyBody} />
    </>
  );
}

function HeaderLists({ detail }: { detail: ExchangeDetail }) {
  const words = t().detail;
  return (
    <div class="headers">
      <HeaderList title={`${words.request} · ${requestLine(detail)}`} headers={detail.request.headers} />
      {detail.response && <HeaderList title={`${words.response} · ${detail.response.status}`} headers={detail.response.headers} />}
    </div>
  );
}

function HeaderList({ title, headers }: { title: string; headers: Headers }) {
  return (
    <>
      <h3>{title}</h3>
      <dl>
        {headers.map(([name, value], index) => (
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
