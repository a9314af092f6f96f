// The phone's browser: the simulator's proxy makes requests look like WeChat's.
import { useEffect, useState } from "preact/hooks";
import { api } from "../../api";
import { t } from "../../text";
import { Icon } from "../../ui/Icon";
import { actor } from "../act";
import { Sheet } from "./Sheet";

export function Browser({ url }: { url: string }) {
  const [page, setPage] = useState<{ address?: string; failed?: string }>({});
  const words = t().phone;
  useEffect(() => {
    let here = true;
    const put = (state: typeof page) => here && setPage(state);
    api.browser(actor(), url).then(
      ({ url: address }) => put({ address }),
      (error: Error) => put({ failed: error.message }),
    );
    return () => void (here = false);
  }, [url]);
  // All that a page may know of where its frame went to.
  useEffect(() => {
    const blocked = ({ effectiveDirective, blockedURI }: SecurityPolicyViolationEvent) =>
      effectiveDirective === "frame-src" && setPage({ failed: t().phone.leavesPhone(blockedURI) });
    document.addEventListener("securitypolicyviolation", blocked);
    return () => document.removeEventListener("securitypolicyviolation", blocked);
  }, []);
  return (
    <Sheet title={hostOf(url)} full>
      <p class="address">
        <span title={url}>{url}</span>
        {/^https?:/i.test(url) && (
          <a class="icon-button" href={url} target="_blank" rel="noreferrer" aria-label={words.openInBrowser} title={words.openInBrowser}>
            <Icon name="out" size={16} />
          </a>
        )}
      </p>
      {page.failed !== undefined && (
        <p class="page-failed" role="alert">
          {words.browserFailed}
          <small>{page.failed}</small>
        </p>
      )}
      {page.failed === undefined && page.address === undefined && <p class="hint centered">{words.loading}</p>}
      {page.address !== undefined && (
        <iframe
          data-testid="browser"
          src={page.address}
          title={url}
          sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-modals"
          referrerpolicy="no-referrer"
        />
      )}
    </Sheet>
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** Its code does not run here. */
export function MiniProgram({ appid, pagepath }: { appid: string; pagepath: string }) {
  return (
    <Sheet title={t().phone.opensMini} full>
      <div class="about">
        <span class="mini-sign" aria-hidden="true">
          <Icon name="link" size={32} />
        </span>
        <dl>
          <div>
            <dt>appid</dt>
            <dd>{appid}</dd>
          </div>
          <div>
            <dt>pagepath</dt>
            <dd>{pagepath || "—"}</dd>
          </div>
        </dl>
        <p class="hint">{t().phone.miniHint}</p>
      </div>
    </Sheet>
  );
}
