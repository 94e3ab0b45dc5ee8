// Which values of the ledger lie in which bytes: raw, UTF-16LE, base64, and inside LZ4 (Firefox) and gzip. Knows no
// file format, so it shares no mistake with tokentrail's readers.
import zlib from 'node:zlib';

/** The forms of a value that are searched for. Base64 in all three alignments, without the ragged ends. */
function forms(value) {
  const bytes = Buffer.from(value);
  const list = [bytes, Buffer.from(value, 'utf16le')];
  for (let shift = 0; shift < 3; shift += 1) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replaceAll('=', '');
    const inner = text.slice(shift ? 4 : 0, text.length - 4);
    list.push(Buffer.from(inner), Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_')));
  }
  const escaped = encodeURIComponent(value);
  if (escaped !== value) list.push(Buffer.from(escaped));
  return list.filter((form) => form.length >= 8);
}

/** An index of all forms by their first four bytes, with a bit map in front. */
export function index(values) {
  const byHead = new Map();
  const seen = new Uint8Array(1 << 24);
  for (const value of values) {
    for (const form of forms(value)) {
      const head = form.readUInt32LE(0);
      seen[(head ^ (head >>> 8)) & 0xffffff] = 1;
      if (!byHead.has(head)) byHead.set(head, []);
      byHead.get(head).push({ form, value });
    }
  }
  return { byHead, seen };
}

/** LZ4 block (lz4_Block_format.md), as far as it goes. */
function lz4(input, size) {
  const out = Buffer.alloc(Math.min(size, 1 << 27));
  let [from, to] = [0, 0];
  const length = (nibble) => {
    let sum = nibble;
    if (nibble === 15) for (let more = 255; more === 255 && from < input.length;) { more = input[from]; from += 1; sum += more; }
    return sum;
  };
  while (from < input.length && to < out.length) {
    const token = input[from];
    from += 1;
    const literals = length(token >> 4);
    input.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from + 2 > input.length) break;
    const offset = input.readUInt16LE(from);
    from += 2;
    for (let left = length(token & 15) + 4; left > 0 && to < out.length; left -= 1, to += 1) out[to] = out[to - offset];
  }
  return out.subarray(0, to);
}

function opened(bytes) {
  if (bytes.subarray(0, 8).toString('latin1') === 'mozLz40\0') return [lz4(bytes.subarray(12), bytes.readUInt32LE(8))];
  const inner = [];
  // gzip bodies of a cache: a bounded number, each from its magic on.
  for (let at = bytes.indexOf('1f8b08', 'hex'), n = 0; at >= 0 && n < 32; at = bytes.indexOf('1f8b08', at + 3, 'hex'), n += 1) {
    try { inner.push(zlib.gunzipSync(bytes.subarray(at), { maxOutputLength: 1 << 24, finishFlush: zlib.constants.Z_SYNC_FLUSH })); } catch { /* no gzip after all */ }
  }
  return inner;
}

function searchOne({ byHead, seen }, bytes, hits) {
  for (let at = 0; at + 8 <= bytes.length; at += 1) {
    const head = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
    if (!seen[(head ^ (head >>> 8)) & 0xffffff]) continue;
    for (const { form, value } of byHead.get(head) ?? []) {
      if (!hits.has(value) && bytes.compare(form, 0, form.length, at, Math.min(at + form.length, bytes.length)) === 0) hits.add(value);
    }
  }
}

/** The set of indexed values that `bytes` holds. */
export function search(values, bytes) {
  const hits = new Set();
  searchOne(values, bytes, hits);
  for (const inner of opened(bytes)) searchOne(values, inner, hits);
  return hits;
}
