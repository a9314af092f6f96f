import { useEffect, useState } from "preact/hooks";
import { simulatedNow } from "../store/clock";
import { chatter } from "../store/live";

/** Whether the app is typing; it ends by itself when its time is over. */
export function useTyping(): boolean {
  const until = chatter.value?.typing_until_ms ?? 0;
  const [, again] = useState(0);
  const left = until - simulatedNow();
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => again((n) => n + 1), left + 20);
    return () => clearTimeout(timer);
  }, [until]);
  return left > 0;
}
