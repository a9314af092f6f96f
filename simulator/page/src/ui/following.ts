import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** So near to the end counts as the end, in pixels. */
const NEAR = 60;

interface News {
  /** Another one is another list: it starts at its end. */
  list: unknown;
  /** The last item; another one is news. */
  last: unknown;
  /** Show the news wherever the reader is. */
  always?: boolean;
}

/** Keeps a scrolling list at its end, unless its reader went up; `below` tells that something new waits there. */
export function useFollowing<E extends HTMLElement>({ list, last, always = false }: News) {
  const element = useRef<E>(null);
  const atEnd = useRef(true);
  const [below, setBelow] = useState(false);
  const toEnd = () => {
    const box = element.current;
    if (box) box.scrollTop = box.scrollHeight;
  };
  const stay = () => {
    if (atEnd.current) toEnd();
  };
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const look = () => {
      atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
      if (atEnd.current) setBelow(false);
    };
    box.addEventListener("scroll", look, { passive: true });
    // A picture that has come, a panel that opened.
    box.addEventListener("load", stay, true);
    const sizes = new ResizeObserver(stay);
    sizes.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      box.removeEventListener("load", stay, true);
      sizes.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    atEnd.current = true;
    setBelow(false);
  }, [list]);
  useLayoutEffect(() => {
    if (always) atEnd.current = true;
    if (!atEnd.current && last !== undefined) setBelow(true);
  }, [last]);
  // On every render: rings below the last bubble make it higher.
  useLayoutEffect(stay);
  return { element, below, toEnd };
}
