/** A file chooser inside a label that looks like a button; the same file can be chosen again. */
export function FileInput({ accept, onFile }: { accept: string; onFile: (file: File | undefined) => void }) {
  const change = (input: HTMLInputElement) => {
    const file = input.files?.[0];
    input.value = "";
    onFile(file);
  };
  return <input type="file" class="sr-only" accept={accept} onChange={(event) => change(event.currentTarget)} />;
}
