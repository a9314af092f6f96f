// A letter on a colour that a name always gets.
const COLORS = 6;

function colorOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 33 + letter.codePointAt(0)!) % 1009;
  return sum % COLORS;
}

/** Of 小明 the 明 says more, but the 小 is what phones show; of Bob, B. */
export function Avatar({ name, account = false }: { name: string; account?: boolean }) {
  const first = [...name.trim()][0]?.toUpperCase() ?? "·";
  return <span class={account ? "avatar account" : `avatar color-${colorOf(name)}`} aria-hidden="true">{first}</span>;
}
