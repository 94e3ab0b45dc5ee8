// Which values of the ledger lie in which bytes: raw, UTF-16LE, base64, percent-encoded, and in whatever decode.mjs
// opens.
import { opened } from './decode.mjs';

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
  if (escaped !== value) {
    list.push(Buffer.from(escaped), Buffer.from(escaped, 'utf16le'), Buffer.from(encodeURIComponent(escaped)));
    const quoted = JSON.stringify(value).slice(1, -1);
    list.push(Buffer.from(quoted), Buffer.from(quoted.replaceAll('/', '\\/')));
    list.push(Buffer.from(value.replaceAll('&', '&amp;')));
  }
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

function searchOne({ byHead, seen }, bytes, hits) {
  for (let at = 0; at + 8 <= bytes.length; at += 1) {
    const head = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
    if (!seen[(head ^ (head >>> 8)) & 0xffffff]) continue;
    for (const { form, value } of byHead.get(head) ?? []) {
      if (hits.has(value) || at + form.length > bytes.length) continue;
      if (bytes.compare(form, 0, form.length, at, at + form.length) === 0) hits.add(value);
    }
  }
}

/** The set of indexed values that `bytes` of the file `name` holds. */
export function search(values, bytes, name) {
  const hits = new Set();
  searchOne(values, bytes, hits);
  for (const inner of opened(bytes, name)) searchOne(values, inner, hits);
  return hits;
}
