// A QR code, drawn here: fetching the stand-in's own picture would be one more request in the timeline.
import { useEffect, useState } from "preact/hooks";

/** Light modules around a code, as readers want it. */
const MARGIN = 2;

export function CodePicture({ text, size }: { text: string; size: number }) {
  const [rows, setRows] = useState<boolean[][]>([]);
  useEffect(() => {
    let here = true;
    // Fetched when the first code is shown.
    void import("qr").then(({ default: encode }) => here && setRows(encode(text, "raw", { border: MARGIN })));
    return () => void (here = false);
  }, [text]);
  const dark = rows.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : "")));
  return (
    <svg
      class="code-picture"
      width={size}
      height={size}
      viewBox={`0 0 ${rows.length || 1} ${rows.length || 1}`}
      shape-rendering="crispEdges"
      aria-hidden="true"
    >
      <path d={dark.join("")} />
    </svg>
  );
}
