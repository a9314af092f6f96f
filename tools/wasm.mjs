// Just enough of the WebAssembly binary format to leave a section out.
// https://webassembly.github.io/spec/core/binary/modules.html

const HEADER = 8;
const CUSTOM = 0;

/** The same module without its `name` section, which only debuggers and stack traces read. */
export function withoutNames(wasm) {
  const kept = [wasm.subarray(0, HEADER)];
  for (let start = HEADER; start < wasm.length; ) {
    const size = unsigned(wasm, start + 1);
    const end = size.end + size.value;
    if (wasm[start] !== CUSTOM || customName(wasm, size.end) !== "name") kept.push(wasm.subarray(start, end));
    start = end;
  }
  return Buffer.concat(kept);
}

function customName(wasm, start) {
  const length = unsigned(wasm, start);
  return wasm.toString("utf8", length.end, length.end + length.value);
}

/** An unsigned LEB128 number and where it ends. */
function unsigned(bytes, start) {
  let value = 0;
  for (let index = start, shift = 0; ; index++, shift += 7) {
    value += (bytes[index] & 0x7f) * 2 ** shift;
    if (bytes[index] < 0x80) return { value, end: index + 1 };
  }
}
