/* Sets of names and numbers, by 64-bit hash, in tables of the caller: a power of two of slots, at most half of them filled. */
#include "kernel.h"

typedef struct { u64 *slots; u32 mask; } Set;
static Set names, heads, words, numbers;
static u8 *lengths; /* of the names that begin with a head: bit n for n characters, bit 0 for more than four */

void known_tables(u64 *n, u32 n_size, u64 *h, u8 *l, u32 h_size, u64 *w, u32 w_size, u64 *d, u32 d_size) {
    names = (Set){n, n_size - 1}, heads = (Set){h, h_size - 1}, words = (Set){w, w_size - 1}, numbers = (Set){d, d_size - 1};
    lengths = l;
}

static u64 hash(const u8 *text, u32 size) {
    u64 h = 0x9E3779B97F4A7C15ull ^ size;
    for (u32 i = 0; i < size; i++) h = (h ^ text[i]) * 0x100000001B3ull;
    h ^= h >> 32, h *= 0xD6E8FEB86659FD93ull, h ^= h >> 29;
    return h | 1;
}

/* The slot that holds the hash, or the free one where it belongs. */
static u32 slot(const Set *set, u64 h) {
    u32 at = (u32)(h >> 20) & set->mask;
    while (set->slots[at] && set->slots[at] != h) at = (at + 1) & set->mask;
    return at;
}

void add_words(const u8 *text, const u32 *starts, const u32 *ends, u32 count) {
    for (u32 i = 0; i < count; i++) {
        u64 h = hash(text + starts[i], ends[i] - starts[i]);
        words.slots[slot(&words, h)] = h;
    }
}

/* Chinese names: every character has three bytes. */
void add_names(const u8 *text, const u32 *starts, const u32 *ends, u32 count) {
    for (u32 i = 0; i < count; i++) {
        const u8 *name = text + starts[i];
        u32 size = ends[i] - starts[i];
        u64 head = hash(name, 6), whole = hash(name, size);
        u32 at = slot(&heads, head);
        heads.slots[at] = head;
        lengths[at] |= size > 12 || size % 3 ? 1 : 1 << size / 3;
        names.slots[slot(&names, whole)] = whole;
    }
}

/* Numbers in digits; `kind` 0 is a telephone's. Returns how many are new. */
u32 add_numbers(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 kind, u32 room) {
    u32 added = 0;
    for (u32 i = 0; i < count && added < room; i++) {
        u32 size = ends[i] - starts[i], plain = size >= 7;
        for (u32 at = starts[i]; at < ends[i]; at++) plain &= (u32)(text[at] - '0') < 10;
        if (!plain) continue;
        u64 h = (hash(text + starts[i], size) & ~2ull) | (kind ? 2 : 0);
        u32 at = slot(&numbers, h), other = slot(&numbers, h ^ 2);
        if (numbers.slots[at] || numbers.slots[other]) continue;
        numbers.slots[at] = h;
        added++;
    }
    return added;
}

/* Bytes of the longest known name that begins here; 1 when only Python can tell. */
u32 known_name(const u8 *text, u32 room) {
    if (room < 6 || text[3] < 0xE0) return 0;
    u64 head = hash(text, 6);
    u32 at = slot(&heads, head);
    if (!heads.slots[at]) return 0;
    if (lengths[at] & 1) return 1;
    for (u32 n = 4; n >= 2; n--)
        if (lengths[at] >> n & 1 && room >= 3 * n) {
            u64 whole = hash(text, 3 * n);
            if (names.slots[slot(&names, whole)]) return 3 * n;
        }
    return 0;
}

int known_word(const u8 *word, u32 size) {
    return words.slots[slot(&words, hash(word, size))] != 0;
}

/* 1 for a telephone's, 2 for another's. */
int known_number(const u8 *number, u32 size) {
    u64 h = hash(number, size) & ~2ull;
    if (numbers.slots[slot(&numbers, h)]) return 1;
    return numbers.slots[slot(&numbers, h | 2)] ? 2 : 0;
}
