// The page of wx-sim.
//
// Roles and names that tests may rely on (in both languages by src/text/zh.ts and en.ts; here the English ones):
//   region "Settings", "Phone", "Timeline"; below 1120 px a tablist "wx-sim" with these three as tabs
//   banner: status "Live" (data-testid=connection, data-state=connecting|open|lost); data-testid=target with data-ok
//   combobox "Account type"; radiogroup "Message encryption"; radiogroup "People" of radios named by the person;
//   group "Make something happen" of buttons; switches named by the fault; buttons "Advance 2 h"
//   phone: log "Chat" (data-testid=chat) of articles (data-testid=line, data-from=person|account|notice,
//     data-kind=the type of what it shows); textbox "Message"; buttons "Send", "More", "Show the keyboard"/"Show the menu";
//     navigation "The account's menu" of buttons by their names, sub-menus as role menu with menuitems;
//     dialogs "Scan", "Send a place", "Send a link"; the browser is a dialog with an iframe (data-testid=browser)
//     WeChat's error line: data-testid=error-line; "typing…" as the heading: data-testid=phone-title
//   the account's Mini Program, if there is one: tablist "Apps" with tabs "Account", "Mini Program"; in it a tablist with
//     "Chat", "Customer service"; log "Chat with the Mini Program" (data-testid=mini-chat) of articles
//     (data-testid=mini-message, data-role, data-state); textbox "Ask something"; buttons "Conversations", "New conversation",
//     "Resume", "Send again"; alert data-testid=mini-complaint (data-status); dialog "Conversations"
//   rings: group "Deliveries" (data-testid=rings) of buttons "Delivery 1: 5 s timeout" (data-state, data-n, aria-pressed)
//   timeline: radiogroup "Filter"; table "Timeline", a row each (data-testid=exchange, data-kind, data-state), whose
//     button opens it; data-testid=count-late, count-failed, count-fine
//   details: tablist "Details of the request" with tabs "Plain", "Cipher", "Response", "Headers", "cURL"; buttons
//     "Copy", "Send again"; list "Rule checks" of items (data-testid=check, data-rule, data-ok)
import { render } from "preact";
import { App } from "./App";
import { watch } from "./store/live";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/left.css";
import "./styles/phone.css";
import "./styles/bubbles.css";
import "./styles/mini.css";
import "./styles/sheets.css";
import "./styles/timeline.css";

watch();
render(<App />, document.body);
