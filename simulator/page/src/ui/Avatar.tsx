// A letter on a colour that a name always gets.
const COLORS = 6;

function colorOf(name: string): number {
  let hash = 2166136261;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0)!, 16777619) >>> 0;
  return (hash >>> 8) % COLORS;
}

/** Of 小明 the 明 says more, but the 小 is what phones show; of Bob, B. */
export function Avatar({ name, account = false }: { name: string; account?: boolean }) {
  const first = [...name.trim()][0]?.toUpperCase() ?? "·";
  return (
    <span class={account ? "avatar account" : `avatar color-${colorOf(name)}`} aria-hidden="true">
      {first}
    </span>
  );
}
