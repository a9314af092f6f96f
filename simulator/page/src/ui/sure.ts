import { useEffect, useState } from "preact/hooks";

/** How long a first press is remembered. */
const ASKING_MS = 4000;

/** A press asks, a second one within four seconds does it. */
export function useSure(work: () => void): [boolean, () => void] {
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) return;
    const timer = setTimeout(() => setAsking(false), ASKING_MS);
    return () => clearTimeout(timer);
  }, [asking]);
  const press = () => {
    setAsking(!asking);
    if (asking) work();
  };
  return [asking, press];
}
