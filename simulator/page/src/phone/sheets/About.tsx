import { accountName, person, view } from "../../store/live";
import { overlay } from "../../store/ui";
import { t } from "../../text";
import { Avatar } from "../../ui/Avatar";
import { act } from "../act";
import { Sheet } from "./Sheet";

/** The account's profile, from which people follow and leave. */
export function About() {
  const account = view.value?.account;
  const words = t();
  if (!account) return null;
  const following = person.value?.following ?? false;
  const change = () => {
    act({ event: { type: following ? "unsubscribe" : "subscribe" } });
    overlay.value = null;
  };
  return (
    <Sheet title={words.phone.about}>
      <div class="about">
        <Avatar name={accountName()} account />
        <p class="chat-empty-name">{accountName()}</p>
        <p class="hint">{words.account.types[account.type]}</p>
        <dl>
          <div>
            <dt>AppID</dt>
            <dd>{account.app_id}</dd>
          </div>
          <div>
            <dt>ID</dt>
            <dd>{account.original_id}</dd>
          </div>
        </dl>
        <button type="button" class={following ? "button" : "button primary"} onClick={change}>
          {following ? words.events.unsubscribe : words.phone.follow}
        </button>
      </div>
    </Sheet>
  );
}
