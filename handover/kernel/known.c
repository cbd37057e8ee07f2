/* Sets of names and numbers, by 64-bit hash, in tables of the caller: a power of two of slots, at most half of them filled. */
#include "kernel.h"

typedef struct { u64 *slots; u32 mask; } Set;
static Set names, heads, words, numbers;
static u32 number_lengths; /* bit n when a number of n digits is there; bit 31 for more: most numbers are told unknown by it */
static u8 *lengths; /* of the names that begin with a head: bit n for n characters, bit 0 for more than four */

void name_tables(u64 *n, u32 n_size, u64 *h, u8 *l, u32 h_size, u64 *w, u32 w_size) {
    names = (Set){n, n_size - 1}, heads = (Set){h, h_size - 1}, words = (Set){w, w_size - 1};
    lengths = l;
}

void number_table(u64 *slots, u32 size, u32 lengths_there) { numbers = (Set){slots, size - 1}, number_lengths = lengths_there; }

u32 lengths_of_numbers(void) { return number_lengths; }

static u32 length_bit(u32 size) { return 1u << (size < 31 ? size : 31); }

static u64 eight(const u8 *text) { return *(const u64 *)text; }
static u64 four(const u8 *text) { return *(const u32 *)text; }
static u64 mixed(u64 h, u64 word) {
    h = (h ^ word) * 0x9E3779B97F4A7C15ull;
    return h ^ h >> 32;
}

/* Of words of eight bytes; the last one overlaps the one before. A short text's size has bits of its own: me is not Lee. */
u64 hash(const u8 *text, u32 size) {
    u64 h = 0xD6E8FEB86659FD93ull ^ size;
    if (size >= 8) {
        for (u32 at = 0; at + 8 < size; at += 8) h = mixed(h, eight(text + at));
        h = mixed(h, eight(text + size - 8));
    } else if (size >= 4) h = mixed(h, four(text) | four(text + size - 4) << 32);
    else if (size) h = mixed(h, text[0] | (u64)text[size / 2] << 8 | (u64)text[size - 1] << 16 | (u64)size << 24);
    h *= 0xD6E8FEB86659FD93ull, h ^= h >> 29;
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

/* The low three bits of a number's hash hold 1 and its kind. */
static u32 number_slot(u64 h) {
    u32 at = (u32)(h >> 20) & numbers.mask;
    while (numbers.slots[at] && (numbers.slots[at] ^ h) >> 3) at = (at + 1) & numbers.mask;
    return at;
}

enum { TOGETHER = 32 };

/* Puts hashes into the table. It is larger than the caches, so their slots are asked for all at once before one is needed. */
static u32 put_numbers(const u64 *hashes, u32 count, u32 room) {
    u32 added = 0;
    volatile u64 met = 0;
    for (u32 i = 0; i < count; i++) met ^= numbers.slots[(u32)(hashes[i] >> 20) & numbers.mask];
    for (u32 i = 0; i < count && added < room; i++) {
        u32 place = number_slot(hashes[i]);
        if (!numbers.slots[place]) numbers.slots[place] = hashes[i], added++;
    }
    return added;
}

/* Of a number of seven digits at least with spaces and hyphens between; 0 for anything else. Kind 0 is a telephone's. */
static u64 number_hash(const u8 *text, u32 size, u32 kind) {
    u8 digits[64];
    u32 count = 0;
    for (u32 at = 0; at < size; at++) {
        if (text[at] == ' ' || text[at] == '-') continue;
        if ((u32)(text[at] - '0') > 9 || count == sizeof digits) return 0;
        digits[count++] = text[at];
    }
    if (count < 7) return 0;
    number_lengths |= length_bit(count);
    return (hash(digits, count) & ~7ull) | 1 | kind << 1;
}

/* The hashes of a column's numbers; how many. */
static u32 hash_numbers(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 kind, u64 *out) {
    u32 held = 0;
    for (u32 i = 0; i < count; i++)
        if ((out[held] = number_hash(text + starts[i], ends[i] - starts[i], kind))) held++;
    return held;
}

/* Adds what `hash_numbers` made, of numbers of these lengths. Returns how many are new. */
u32 add_hashes(const u64 *hashes, u32 count, u32 lengths_there, u32 room) {
    u32 added = 0;
    number_lengths |= lengths_there;
    for (u32 at = 0; at < count; at += TOGETHER) added += put_numbers(hashes + at, count - at < TOGETHER ? count - at : TOGETHER, room - added);
    return added;
}

/* Numbers, LF behind each. Returns how many are new. */
u32 add_numbers(const u8 *text, u32 size, u32 kind, u32 room) {
    u32 added = 0;
    for (u32 at = 0, start = 0; at < size; at++) {
        if (text[at] != '\n') continue;
        u64 h = number_hash(text + start, at - start, kind);
        if (h) added += put_numbers(&h, 1, room - added);
        start = at + 1;
    }
    return added;
}

static int holds_hanzi(const u8 *text, u32 size) {
    for (u32 at = 0; at < size; at++)
        if (text[at] >= 0xE4 && text[at] <= 0xE9 && (text[at] > 0xE4 || (at + 1 < size && text[at + 1] >= 0xB8))) return 1;
    return 0;
}

/* Equal for texts that differ only in numbers, and where there is Chinese only in words of ASCII (names/learning.py). */
static u64 form(const u8 *text, u32 size) {
    u32 held = 0, kept = 0, inside = 0, letters = (u32)holds_hanzi(text, size);
    u64 h = 0, word = 0;
    for (u32 at = 0; at < size; at++) {
        u32 c = text[at], passed = c - '0' < 10 || (letters && ((c | 32) - 'a' < 26 || c == '@' || c == '.' || c == '_' || c == '-' || c == '/'));
        if (passed && inside) continue;
        inside = passed, kept++;
        word = word << 8 | (passed ? '0' : c);
        if (++held == 8) h = mixed(h, word), held = 0, word = 0;
    }
    return (mixed(mixed(h, word), kept) * 0xD6E8FEB86659FD93ull) | 1;
}

/* The cells that are not in `seen` yet (a table of hashes with room for `room` more), or with `forms` none of whose form is: LF behind each. Their
 * size, or NONE when one of them holds an LF itself. */
static u32 gather_new(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 forms, u64 *seen, u32 seen_size, u32 room, u8 *out, u32 *news) {
    Set set = {seen, seen_size - 1};
    u32 size = 0, added = 0;
    for (u32 i = 0; i < count; i++) {
        const u8 *cell = text + starts[i];
        u32 length = ends[i] - starts[i];
        if (!length) continue;
        u64 h = forms ? form(cell, length) : hash(cell, length);
        u32 at = slot(&set, h);
        if (set.slots[at]) continue;
        if (added < room) set.slots[at] = h, added++;
        for (u32 k = 0; k < length; k++)
            if ((out[size + k] = cell[k]) == '\n') return NONE;
        size += length;
        out[size++] = '\n';
    }
    *news = added;
    return size;
}

typedef struct {
    const u32 *starts, *ends; /* of a column's cells */
    u32 what, kind;           /* of its numbers */
    u64 *seen;                /* by these its values are told new */
    u32 seen_size, room;
    u8 *out; /* what was found: `size` bytes, or NONE; `added` to `seen` */
    u32 size, added;
} Wanted;
enum { NUMBERS, VALUES, FORMS };

/* What the first pass takes from the columns of a block, one behind the other in `out`. All at once, since behind each call a thread
 * waits for the interpreter. Returns how long the numbers are, as `lengths_of_numbers` does. */
u32 take(const u8 *text, u32 count, Wanted *wanted, u32 columns, u8 *out) {
    for (Wanted *w = wanted; w < wanted + columns; w++) {
        out += -(u32)out & 7, w->out = out;
        for (Wanted *before = wanted; before < w; before++)
            if (w->seen && before->seen == w->seen) w->room -= before->added; /* or the table would get full */
        if (w->what == NUMBERS) w->size = 8 * hash_numbers(text, w->starts, w->ends, count, w->kind, (u64 *)out);
        else w->size = gather_new(text, w->starts, w->ends, count, w->what == FORMS, w->seen, w->seen_size, w->room, out, &w->added);
        if (w->size != NONE) out += w->size;
    }
    return number_lengths;
}

/* For numbers in digits, LF behind each: 0, or 1 and the kind. */
void known_numbers(const u8 *lines, u32 size, u8 *out) {
    for (u32 at = 0, start = 0; at < size; at++)
        if (lines[at] == '\n') *out++ = (u8)known_number(lines + start, at - start), start = at + 1;
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

/* 0 when it is not known, otherwise 1 and its kind. */
int known_number(const u8 *number, u32 size) {
    if (!(number_lengths & length_bit(size))) return 0;
    u64 found = numbers.slots[number_slot(hash(number, size))];
    return found ? 1 + (int)(found >> 1 & 3) : 0;
}
