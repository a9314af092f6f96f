// What the person does in the Mini Program, as the switches of the settings want it.
import { distrusted, leaves, streams } from "../../store/ui";
import { act, inMini } from "../act";

/** After so many pieces of an answer the phone goes away, if it is told to. */
const LEAVES_AFTER = 2;

/** Says something to the server. */
export const say = (text: string) => inMini({ say: { text, stream: streams.value, ...(leaves.value && { leave_after: LEAVES_AFTER }) } });

/** Logs in, maybe with a code of somebody whom WeChat distrusts. */
export const logIn = () => inMini(distrusted.value ? { login_with: { risky: true } } : "login");

/** Opens the chat with the customer service. */
export const enter = () => act({ event: { type: "user_enter_tempsession", fields: { SessionFrom: "wx-sim" } } });
