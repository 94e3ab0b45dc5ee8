// What lies inside bytes: LZ4, gzip, Brotli, deflated members of an archive, Snappy blocks, records of a LevelDB log,
// and what Chromium on Linux encrypts under its fixed key. Written from the formats' descriptions and used for nothing
// but the byte search, so that it shares no mistake with tokentrail's readers.
import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import zlib from 'node:zlib';

/** Largest output of one decoding, and most decodings of one kind in one file. */
const limit = 1 << 25;
const most = 4096;

/** LZ4 block (lz4_Block_format.md), as far as it goes. */
function lz4(input, size) {
  const out = Buffer.alloc(Math.min(size, limit));
  let [from, to] = [0, 0];
  const length = (nibble) => {
    let sum = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255 && from < input.length;) {
      more = input[from];
      from += 1;
      sum += more;
    }
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

/** A varint of seven bits a byte: [value, next offset]. */
function varint(bytes, from) {
  let [value, at] = [0, from];
  for (let shift = 0; shift < 35 && at < bytes.length; shift += 7) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  return [value, at];
}

/** A raw Snappy block (format_description.txt); undefined when it is none. */
export function snappy(input) {
  const [size, start] = varint(input, 0);
  if (size === 0 || size > limit || size > input.length * 64) return undefined;
  const out = Buffer.alloc(size);
  let [from, to] = [start, 0];
  while (from < input.length && to < size) {
    const tag = input[from];
    from += 1;
    if ((tag & 3) === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const wide = length - 59;
        if (from + wide > input.length) return undefined;
        length = input.readUIntLE(from, wide);
        from += wide;
      }
      length += 1;
      if (from + length > input.length || to + length > size) return undefined;
      input.copy(out, to, from, from + length);
      from += length;
      to += length;
      continue;
    }
    const wide = [0, 1, 2, 4][tag & 3];
    if (from + wide > input.length) return undefined;
    const offset = (tag & 3) === 1 ? ((tag >> 5) << 8) + input[from] : input.readUIntLE(from, wide);
    let length = (tag & 3) === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    from += wide;
    if (offset === 0 || offset > to || to + length > size) return undefined;
    for (; length > 0; length -= 1, to += 1) out[to] = out[to - offset];
  }
  return to === size ? out : undefined;
}

/** A LevelDB log without the seven bytes before each fragment (log_format.md), so that no value is cut. */
function log(bytes) {
  const parts = [];
  for (let block = 0; block < bytes.length; block += 32768) {
    const end = Math.min(block + 32768, bytes.length);
    for (let at = block; at + 7 <= end;) {
      const length = bytes.readUInt16LE(at + 4);
      parts.push(bytes.subarray(at + 7, Math.min(at + 7 + length, end)));
      at += 7 + length;
    }
  }
  return Buffer.concat(parts);
}

const magic = Buffer.from('57fb808b247547db', 'hex');

/** The data blocks of a LevelDB table, decompressed (table_format.md). */
function table(bytes) {
  const block = (offset, size) => {
    const raw = bytes.subarray(offset, offset + size);
    return bytes[offset + size] === 1 ? snappy(raw) ?? raw : raw;
  };
  const footer = bytes.subarray(bytes.length - 48);
  let at = 0;
  const number = () => {
    const [value, next] = varint(footer, at);
    at = next;
    return value;
  };
  number();
  number();
  const index = block(number(), number());
  const restarts = index.readUInt32LE(index.length - 4);
  const found = [];
  for (let from = 0; from < index.length - 4 - restarts * 4 && found.length < most;) {
    const [, unshared] = varint(index, from);
    const [keyed, valued] = varint(index, unshared);
    const [value, key] = varint(index, valued);
    const [offset, next] = varint(index, key + keyed);
    const [size] = varint(index, next);
    found.push(block(offset, size));
    from = key + keyed + value;
  }
  return found;
}

/** Chromium's key on Linux where no key store is used (os_crypt_linux.cc). */
const key = pbkdf2Sync('peanuts', 'saltysalt', 1, 16, 'sha1');

/** The plain text of `v10` and its cipher text; undefined when it is none. */
export function v10(bytes) {
  if (bytes.length < 19 || (bytes.length - 3) % 16 !== 0 || bytes.toString('latin1', 0, 3) !== 'v10') return undefined;
  const cipher = createDecipheriv('aes-128-cbc', key, Buffer.alloc(16, ' '));
  try {
    return Buffer.concat([cipher.update(bytes.subarray(3)), cipher.final()]);
  } catch {
    return undefined;
  }
}

/** Offsets of `mark`, a bounded number. */
function* marks(bytes, mark) {
  let at = bytes.indexOf(mark);
  for (let tries = 0; at >= 0 && tries < most; tries += 1) {
    yield at;
    at = bytes.indexOf(mark, at + 1);
  }
}

/** Encrypted records with their 32-bit length before them (Sessions_Encrypted, measured). */
function encrypted(bytes) {
  const found = [];
  for (const at of marks(bytes, Buffer.from('v10'))) {
    if (at < 4) continue;
    const size = bytes.readUInt32LE(at - 4);
    const plain = size <= bytes.length - at && v10(bytes.subarray(at, at + size));
    if (plain) found.push(plain);
  }
  return found;
}

const attempt = (work) => {
  try { return [work()]; } catch { return []; }
};

function compressed(bytes) {
  const bounds = { maxOutputLength: limit, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  const found = [];
  for (const at of marks(bytes, Buffer.from('1f8b08', 'hex'))) {
    found.push(...attempt(() => zlib.gunzipSync(bytes.subarray(at), bounds)));
  }
  for (const at of marks(bytes, Buffer.from('PK\x03\x04', 'latin1'))) {
    if (at + 30 > bytes.length || bytes.readUInt16LE(at + 8) !== 8) continue;
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    found.push(...attempt(() => zlib.inflateRawSync(bytes.subarray(start), bounds)));
  }
  // Brotli has no magic: where a header names it, the body starts the file (Firefox) or follows the key (Chromium).
  if (/content-encoding: ?br\b/i.test(bytes.toString('latin1'))) {
    const flush = { maxOutputLength: limit, finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };
    const chromium = bytes.length > 24 ? 24 + bytes.readUInt32LE(12) : 0;
    for (const start of [0, chromium]) {
      found.push(...attempt(() => zlib.brotliDecompressSync(bytes.subarray(start), flush)));
    }
  }
  return found;
}

/** Every `%41` as the byte it stands for, once. */
function unescaped(bytes) {
  if (!bytes.includes('%')) return [];
  const text = bytes.toString('latin1');
  return [Buffer.from(text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1')];
}

/** Everything that these bytes hold in another form; `name` is the file's. */
export function opened(bytes, name) {
  const found = [];
  if (bytes.toString('latin1', 0, 8) === 'mozLz40\0') found.push(lz4(bytes.subarray(12), bytes.readUInt32LE(8)));
  if (/\/\d{6,}\.log$/.test(name)) found.push(log(bytes));
  if (bytes.length >= 48 && bytes.subarray(-8).equals(magic)) found.push(...attempt(() => table(bytes)).flat());
  if (/\/Sessions/.test(name)) found.push(...encrypted(bytes));
  found.push(...compressed(bytes));
  return [...found, ...[bytes, ...found].flatMap(unescaped)];
}
