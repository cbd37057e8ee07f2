/* Word lists, by 64-bit hash, in tables of the caller: a power of two of slots, at most half of them filled. The low bits
 * of a slot hold 1 and a note of up to 7. */
#include "kernel.h"

static struct { u64 *slots; u32 mask; } lists[LISTS];

void put_list(u32 list, u64 *slots, u32 size) { lists[list].slots = slots, lists[list].mask = size - 1; }

static u64 *slot(u32 list, u64 h) {
    u32 at = (u32)(h >> 20) & lists[list].mask;
    while (lists[list].slots[at] && (lists[list].slots[at] ^ h) >> 4) at = (at + 1) & lists[list].mask;
    return lists[list].slots + at;
}

void add_listed(u32 list, u32 note, const u8 *text, const u32 *starts, const u32 *ends, u32 count) {
    for (u32 i = 0; i < count; i++) {
        u64 h = hash(text + starts[i], ends[i] - starts[i]);
        *slot(list, h) = (h & ~15ull) | 1 | note << 1;
    }
}

u32 listed(u32 list, const u8 *text, u32 size) {
    u64 found = *slot(list, hash(text, size));
    return found ? 1 + (u32)(found >> 1 & 7) : 0;
}
