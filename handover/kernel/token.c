/* HMAC-SHA-256 from the two states that the key leaves: pseudonyms (masking/pseudonyms.py), 130 bits of it in base32, and the digests of
 * subjects (detection/subjects.py), 128 bits as they are. */
#include <wasm_simd128.h>

#include "kernel.h"

static const u32 K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const u32 START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static u32 inner[8], outer[8];

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))

typedef u32 Four __attribute__((vector_size(16))); /* the same step for four messages at once */

/* First all that is added to the rounds, which then need no more words at once than there are registers. */
#define COMPRESS(NAME, WORD)                                                                                            \
    static void NAME(WORD *state, WORD *w) {                                                                            \
        static WORD added[64];                                                                                          \
        for (u32 i = 0; i < 16; i++) added[i] = w[i] + K[i];                                                            \
        _Pragma("clang loop unroll(full)") for (u32 i = 16; i < 64; i++) {                                              \
            WORD x = w[(i - 15) & 15], y = w[(i - 2) & 15];                                                             \
            w[i & 15] += (ROTATE(x, 7) ^ ROTATE(x, 18) ^ x >> 3) + w[(i - 7) & 15] + (ROTATE(y, 17) ^ ROTATE(y, 19) ^ y >> 10); \
            added[i] = w[i & 15] + K[i];                                                                                \
        }                                                                                                               \
        WORD a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7]; \
        _Pragma("clang loop unroll(full)") for (u32 i = 0; i < 64; i++) {                                               \
            WORD one = h + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + ((e & f) ^ (~e & g)) + added[i];            \
            WORD two = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));                  \
            h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;                                       \
        }                                                                                                               \
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h; \
    }
COMPRESS(compress, u32)
COMPRESS(compress_four, Four)

static u32 big_endian(const u8 *b) { return (u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]; }

/* The key, filled up with zeros to a block of 64 bytes. */
void set_key(const u8 *key) {
    u32 w[16];
    for (u32 i = 0; i < 16; i++) w[i] = big_endian(key + 4 * i) ^ 0x36363636;
    for (u32 i = 0; i < 8; i++) inner[i] = outer[i] = START[i];
    compress(inner, w);
    for (u32 i = 0; i < 16; i++) w[i] = big_endian(key + 4 * i) ^ 0x5C5C5C5C;
    compress(outer, w);
}

/* `kind`, 0 and the normal form with SHA-256's padding: letters of codes are capitals, those of mail addresses small. A longer value
 * than 200 bytes is an error of the caller. Returns the size. Reads and writes 16 bytes at once; every buffer has that many more. */
static u32 message_of(u8 *message, const u8 *kind, u32 kind_size, const u8 *value, u32 size, u32 number) {
    if (kind_size + size > 220) __builtin_trap();
    for (u32 i = 0; i < kind_size; i += 16) wasm_v128_store(message + i, wasm_v128_load(kind + i));
    message[kind_size] = 0;
    u8 *out = message + kind_size + 1;
    const v128_t bit = wasm_u8x16_const_splat(32), a = wasm_u8x16_const_splat('a'), letters = wasm_u8x16_const_splat(26);
    for (u32 i = 0; i < size; i += 16) {
        v128_t t = wasm_v128_load(value + i); /* bytes above 127 stay above 'z' with the bit or without */
        v128_t changes = wasm_v128_and(wasm_u8x16_lt(wasm_i8x16_sub(wasm_v128_or(t, bit), a), letters), bit);
        wasm_v128_store(out + i, number == EMAIL ? wasm_v128_or(t, changes) : wasm_v128_andnot(t, changes));
    }
    u32 length = kind_size + 1 + size, whole = (length + 9 + 63) / 64 * 64, bits = (64 + length) * 8;
    for (u32 i = length; i < whole; i += 16) wasm_v128_store(message + i, wasm_u8x16_const_splat(0));
    message[length] = 0x80;
    message[whole - 2] = (u8)(bits >> 8), message[whole - 1] = (u8)bits;
    return whole;
}

static void base32(u8 *out, const u32 *state) {
    _Pragma("clang loop unroll(full)") for (u32 i = 0; i < TOKEN; i++) {
        u32 bit = 5 * i, word = bit / 32, at = bit % 32;
        u64 two = (u64)state[word] << 32 | state[word + 1];
        out[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[two >> (59 - at) & 31];
    }
}

/* What is made of the code: TOKEN bytes of text or DIGEST bytes. */
static void write_code(u8 *out, const u32 *state, u32 as) {
    if (as == TOKEN) base32(out, state);
    else
        for (u32 i = 0; i < DIGEST; i++) out[i] = (u8)(state[i / 4] >> (24 - i % 4 * 8));
}

static void write_one(u8 *out, const u8 *message, u32 length, u32 as) {
    u32 state[8], w[16];
    for (u32 i = 0; i < 8; i++) state[i] = inner[i];
    for (u32 block = 0; block < length; block += 64) {
        for (u32 i = 0; i < 16; i++) w[i] = big_endian(message + block + 4 * i);
        compress(state, w);
    }
    for (u32 i = 0; i < 8; i++) w[i] = state[i], state[i] = outer[i];
    w[8] = 0x80000000, w[15] = (64 + 32) * 8;
    for (u32 i = 9; i < 15; i++) w[i] = 0;
    compress(state, w);
    write_code(out, state, as);
}

/* Of four messages of one block each. */
static void write_four(u8 *const *out, u8 messages[4][320], u32 as) {
    Four state[8], w[16], zero = {0, 0, 0, 0};
    for (u32 i = 0; i < 8; i++) state[i] = zero + inner[i];
    for (u32 i = 0; i < 16; i += 4) { /* four words of each message, turned about */
        v128_t rows[4];
        for (u32 lane = 0; lane < 4; lane++) {
            v128_t t = wasm_v128_load(messages[lane] + 4 * i);
            rows[lane] = wasm_i8x16_shuffle(t, t, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        }
        v128_t low = wasm_i32x4_shuffle(rows[0], rows[1], 0, 4, 1, 5), high = wasm_i32x4_shuffle(rows[0], rows[1], 2, 6, 3, 7);
        v128_t low2 = wasm_i32x4_shuffle(rows[2], rows[3], 0, 4, 1, 5), high2 = wasm_i32x4_shuffle(rows[2], rows[3], 2, 6, 3, 7);
        w[i] = (Four)wasm_i64x2_shuffle(low, low2, 0, 2), w[i + 1] = (Four)wasm_i64x2_shuffle(low, low2, 1, 3);
        w[i + 2] = (Four)wasm_i64x2_shuffle(high, high2, 0, 2), w[i + 3] = (Four)wasm_i64x2_shuffle(high, high2, 1, 3);
    }
    compress_four(state, w);
    for (u32 i = 0; i < 8; i++) w[i] = state[i], state[i] = zero + outer[i];
    for (u32 i = 8; i < 16; i++) w[i] = zero;
    w[8] += 0x80000000, w[15] += (64 + 32) * 8;
    compress_four(state, w);
    for (u32 lane = 0; lane < 4; lane++) {
        u32 one[8];
        for (u32 i = 0; i < 8; i++) one[i] = state[i][lane];
        write_code(out[lane], one, as);
    }
}

/* Messages wait until there are four of one block. */
static u8 messages[4][320];
static u8 *places[4];
static u32 held;

static void take_message(u8 *out, const u8 *kind, u32 kind_size, const u8 *value, u32 size, u32 number, u32 as) {
    u32 length = message_of(messages[held], kind, kind_size, value, size, number);
    places[held] = out;
    if (length > 64) write_one(out, messages[held], length, as);
    else if (++held == 4) write_four(places, messages, as), held = 0;
}

static void write_rest(u32 as) {
    while (held) held--, write_one(places[held], messages[held], 64, as);
}

/* The tokens of a column's hits, TOKEN bytes for each hit; others' places stay as they are. */
void tokens(const u8 *text, const u32 *starts, const u32 *hits, u32 count, const u32 *actions, const Label *kinds, u8 *out) {
    for (u32 i = 0; i < count; i++, hits += 4) {
        u32 kind = hits[3];
        if (actions[kind] != MAKE_TOKEN) continue;
        const u8 *value = text + starts[hits[0]] + hits[1];
        take_message(out + TOKEN * i, kinds[kind].text, kinds[kind].size, value, hits[2] - hits[1], kind, TOKEN);
    }
    write_rest(TOKEN);
}

static int is_space(u32 c) { return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31); }

/* The digests of whom a column's cells name, DIGEST bytes each, without those of cells that are blank or for Python. Returns how many. */
u32 digests(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u8 *what, u8 *out) {
    static const u8 label[32] = "subject";
    u32 found = 0;
    for (u32 row = 0; row < count; row++) {
        u32 start = starts[row], end = ends[row], plain = 1;
        while (start < end && is_space(text[start])) start++;
        while (start < end && is_space(text[end - 1])) end--;
        for (u32 at = start; at < end; at++) plain &= text[at] < 0x80;
        what[row] = plain && end - start <= 200 ? start < end ? DIGESTED : BLANK : UNDIGESTED;
        if (what[row] == DIGESTED) take_message(out + DIGEST * found++, label, 7, text + start, end - start, EMAIL, DIGEST);
    }
    write_rest(DIGEST);
    return found;
}
