// The ZIP of a package in the order of its bytes. Every record must be what the one encoder writes (docs/package-format.md),
// so it is encoded again and compared: no gap, overlap, comment, link, or second meaning is left.
import { concat, toBytes, toText } from "./bytes.js";
import { Fault } from "./fault.js";

const LIMIT_32 = 0xffffffff;
const LIMIT_16 = 0xffff;
const UTF8 = 0x0800;
const DATE = 0x21;
const VERSION = 20;
const VERSION_64 = 45;
const UNIX = 3 << 8;
const REGULAR_FILE = 0o100644 * 0x10000;
const STORED = 0;
const DEFLATED = 8;

/** The next entry of the archive: its record; the reader stands at its content. */
export async function nextMember(reader) {
  const fixed = await reader.exactly(30);
  const view = new DataView(fixed.buffer);
  if (view.getUint32(0, true) !== 0x04034b50) throw malformed("an entry is missing, or something stands between entries");
  const name = await reader.exactly(view.getUint16(26, true));
  const extra = await reader.exactly(view.getUint16(28, true));
  const wide = extra.length === 20 ? new DataView(extra.buffer) : null;
  const number = (at) => Number(wide.getBigUint64(at, true));
  const member = {
    path: decodeName(name),
    method: view.getUint16(8, true),
    crc32: view.getUint32(14, true),
    size: wide ? number(4) : view.getUint32(22, true),
    packed: wide ? number(12) : view.getUint32(18, true),
  };
  const header = localHeader(member);
  if (![STORED, DEFLATED].includes(member.method) || (member.method === STORED && member.size !== member.packed)) throw malformed(`${member.path}: not stored or deflated`);
  if (concat(fixed, name, extra).some((byte, at) => byte !== header[at]) || header.length !== fixed.length + name.length + extra.length) {
    throw malformed(`${member.path}: its header is not of the form that a package has`);
  }
  return { ...member, total: header.length + member.packed };
}

/** The content of an entry, piece by piece, at most its size, its checksum checked; `each` may not keep a piece. */
export async function content(reader, member, each) {
  let size = 0;
  let crc = 0;
  const take = async (piece) => {
    size += piece.length;
    if (size > member.size) throw altered(member, "it unpacks to more than the package lists");
    crc = crc32(piece, crc);
    await each(piece);
  };
  if (member.method === STORED) {
    for (let left = member.packed; left; ) {
      const piece = await reader.some(left);
      if (!piece.length) throw malformed("the archive ends early");
      left -= piece.length;
      await take(piece);
    }
  } else await inflate(reader, member, take);
  if (size !== member.size || crc !== member.crc32) throw altered(member, "its content does not match its checksum");
}

/** A small entry in memory. */
export async function whole(reader, member, limit) {
  if (member.size > limit) throw malformed(`${member.path} is larger than such a file can be`);
  const parts = [];
  await content(reader, member, (piece) => parts.push(piece.slice()));
  return concat(...parts);
}

/** The directory and the end of the archive, which follow from the entries. */
export async function directory(reader, members) {
  let offset = 0;
  let size = 0;
  for (const member of members) {
    const record = centralHeader(member, offset);
    await reader.expect(record, `${member.path}: its record in the directory differs`);
    offset += member.total;
    size += record.length;
  }
  await reader.expect(endRecords(members.length, size, offset), "the end of the archive is not of the form that a package has");
  await reader.expectEnd();
}

async function inflate(reader, member, take) {
  const inflater = new DecompressionStream("deflate-raw");
  const writer = inflater.writable.getWriter();
  const feed = async () => {
    try {
      for (let left = member.packed; left; ) {
        const piece = await reader.some(left);
        if (!piece.length) throw malformed("the archive ends early");
        left -= piece.length;
        await writer.write(piece.slice());
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
      throw error instanceof Fault ? error : altered(member, "its compressed content is malformed");
    }
  };
  const fed = feed();
  fed.catch(() => {});
  const output = inflater.readable.getReader();
  try {
    for (let next = await output.read(); !next.done; next = await output.read()) await take(next.value);
  } catch (error) {
    output.cancel(error).catch(() => {});
    if (error instanceof Fault) throw error;
    await fed; // a fault of the ciphertext says more than the inflater
    throw altered(member, "its compressed content is malformed");
  }
  await fed;
}

function localHeader(member) {
  const name = toBytes(member.path);
  const big = member.size >= LIMIT_32 || member.packed >= LIMIT_32;
  const record = new Fields(30);
  record.u32(0x04034b50).u16(big ? VERSION_64 : VERSION).u16(UTF8).u16(member.method).u16(0).u16(DATE).u32(member.crc32);
  record.u32(big ? LIMIT_32 : member.packed).u32(big ? LIMIT_32 : member.size).u16(name.length).u16(big ? 20 : 0);
  return concat(record.bytes, name, big ? wideFields(member.size, member.packed) : new Uint8Array());
}

function centralHeader(member, offset) {
  const name = toBytes(member.path);
  const large = [member.size, member.packed, offset].filter((value) => value >= LIMIT_32);
  const version = large.length ? VERSION_64 : VERSION;
  const short = (value) => Math.min(value, LIMIT_32);
  const record = new Fields(46);
  record.u32(0x02014b50).u16(UNIX | version).u16(version).u16(UTF8).u16(member.method).u16(0).u16(DATE).u32(member.crc32);
  record.u32(short(member.packed)).u32(short(member.size)).u16(name.length).u16(large.length ? 4 + 8 * large.length : 0);
  record.u16(0).u16(0).u16(0).u32(REGULAR_FILE).u32(short(offset));
  return concat(record.bytes, name, large.length ? wideFields(...large) : new Uint8Array());
}

function endRecords(count, size, offset) {
  const wide = count >= LIMIT_16 || size >= LIMIT_32 || offset >= LIMIT_32;
  const record = new Fields((wide ? 76 : 0) + 22);
  if (wide) {
    record.u32(0x06064b50).u64(44).u16(UNIX | VERSION_64).u16(VERSION_64).u32(0).u32(0).u64(count).u64(count).u64(size).u64(offset);
    record.u32(0x07064b50).u32(0).u64(offset + size).u32(1);
  }
  record.u32(0x06054b50).u16(0).u16(0).u16(Math.min(count, LIMIT_16)).u16(Math.min(count, LIMIT_16));
  return record.u32(Math.min(size, LIMIT_32)).u32(Math.min(offset, LIMIT_32)).u16(0).bytes;
}

function wideFields(...values) {
  const record = new Fields(4 + 8 * values.length).u16(1).u16(8 * values.length);
  for (const value of values) record.u64(value);
  return record.bytes;
}

/** Little-endian fields, one after the other. */
class Fields {
  #view;
  #at = 0;

  constructor(size) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(value) {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value) {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value) {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
    return this;
  }
}

function decodeName(bytes) {
  try {
    return toText(bytes);
  } catch {
    throw malformed("a name is not UTF-8");
  }
}

const malformed = (why) => new Fault("package_zip_malformed", why);
const altered = (member, why) => new Fault("package_file_altered", why, member.path);

/** Eight tables, so that eight bytes take one step (Intel, slicing-by-8). */
const TABLES = (() => {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[0][i] = value;
  }
  for (let i = 0; i < 256; i++) for (let t = 1; t < 8; t++) tables[t][i] = (tables[t - 1][i] >>> 8) ^ tables[0][tables[t - 1][i] & 255];
  return tables;
})();

function crc32(bytes, before) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = ~before;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = t7[crc & 255] ^ t6[(crc >>> 8) & 255] ^ t5[(crc >>> 16) & 255] ^ t4[crc >>> 24] ^ t3[bytes[at + 4]] ^ t2[bytes[at + 5]] ^ t1[bytes[at + 6]] ^ t0[bytes[at + 7]];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]) & 255];
  return ~crc >>> 0;
}
