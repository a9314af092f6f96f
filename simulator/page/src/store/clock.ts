// The server's wall clock, and one animation loop for everything that moves with it.
import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import type { RefObject } from "preact";

let ahead = Date.now() - performance.now();

/** Takes over the server's time. */
export function setNow(now_ms: number) {
  ahead = now_ms - performance.now();
}

/** The server's time. */
export const serverNow = () => performance.now() + ahead;

/** How far the simulated clock is ahead, by which chats are stamped and codes expire. */
let advanced = 0;

/** Takes over how far the simulated clock is ahead. */
export function setAdvanced(ms: number) {
  advanced = ms;
  tick();
}

/** The simulated time. */
export const simulatedNow = () => serverNow() + advanced;

/** The simulated time, to the second: for what is shown as a clock. */
export const seconds = signal(Math.floor(serverNow() / 1000));
const tick = () => (seconds.value = Math.floor(simulatedNow() / 1000));
setInterval(tick, 500);

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const moving = new Set<() => void>();
let lastStep = 0;
let scheduled = false;

function schedule() {
  if (scheduled || moving.size === 0) return;
  scheduled = true;
  requestAnimationFrame(step);
}

function step(time: number) {
  scheduled = false;
  // Who wants stillness sees one step a second.
  if (!stillness.matches || time - lastStep >= 1000) {
    lastStep = time;
    for (const move of moving) move();
  }
  schedule();
}

/** While `active`, calls `move` on every frame with the element: without a render, since many may move at once. */
export function useMotion<E extends Element>(active: boolean, move: (element: E) => void): RefObject<E | null> {
  const element = useRef<E>(null);
  const latest = useRef(move);
  latest.current = move;
  useEffect(() => {
    if (!active) return;
    const once = () => element.current && latest.current(element.current);
    moving.add(once);
    once();
    schedule();
    return () => void moving.delete(once);
  }, [active]);
  return element;
}
