/* Columns whose whole values are of one kind: dates of birth, addresses, numbers of no person. */
#include "kernel.h"

static u32 take(u32 *hit, u32 row, u32 size, u32 kind) {
    hit[0] = row, hit[1] = 0, hit[2] = size, hit[3] = kind;
    return 1;
}

/* Leaves a value either one hit from end to end, or empty, or (with REPLACED) a replacement, or to Python. Returns how many hits are left. */
u32 only_whole(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 options, u8 *slow, u32 *hits, u32 hit_count) {
    u32 left = 0, at = 0;
    for (u32 row = 0; row < count; row++) {
        u32 size = ends[row] - starts[row], first = at;
        while (at < hit_count && hits[4 * at] == row) at++;
        if (slow[row] || !size) continue;
        if (at == first + 1 && !hits[4 * first + 1] && hits[4 * first + 2] == size) left += take(hits + 4 * left, row, size, hits[4 * first + 3]);
        else slow[row] = !(options & REPLACED && is_replacement(text + starts[row], size));
    }
    return left;
}

/* 1990-05-12; every other form goes to Python. */
u32 whole_dates(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u8 *slow, u32 *hits) {
    u32 found = 0;
    for (u32 row = 0; row < count; row++) {
        const u8 *c = text + starts[row];
        u32 size = ends[row] - starts[row], plain = size == 10 && c[4] == '-' && c[7] == '-';
        u8 digits[8];
        slow[row] = 0;
        if (!size) continue;
        for (u32 i = 0, n = 0; plain && i < 10; i++)
            if (i != 4 && i != 7) {
                plain = (u32)(c[i] - '0') < 10;
                digits[n++] = c[i];
            }
        plain = plain && ((c[0] == '1' && c[1] == '9') || (c[0] == '2' && c[1] == '0')) && birth_date_holds(digits);
        if (plain && !known_number(digits, 8)) found += take(hits + 4 * found, row, size, BIRTH_DATE);
        else slow[row] = 1;
    }
    return found;
}

static int is_hanzi(const u8 *c) {
    u32 code = (u32)(c[0] & 15) << 12 | (c[1] & 63) << 6 | (c[2] & 63);
    return c[0] >= 0xE4 && c[0] <= 0xE9 && code >= 0x4E00 && code <= 0x9FFF;
}

static int is(const u8 *c, const char *other, u32 size) {
    for (u32 i = 0; i < size; i++)
        if (c[i] != (u8)other[i]) return 0;
    return 1;
}

/* 码, 令 or 钥. */
static int is_of_secrets(const u8 *c) {
    u32 three = c[0] | (u32)c[1] << 8 | (u32)c[2] << 16;
    return three == 0x81A0E7 || three == 0xA4BBE4 || three == 0xA592E9;
}

/* Chinese characters and a few digits, and no word that a secret stands behind. */
u32 whole_addresses(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u8 *slow, u32 *hits) {
    u32 found = 0;
    for (u32 row = 0; row < count; row++) {
        const u8 *c = text + starts[row];
        u32 size = ends[row] - starts[row], run = 0, digits = 0, length = 0, plain = 1;
        slow[row] = 0;
        if (!size) continue;
        for (u32 at = 0; plain && at < size; length++) {
            if (c[at] < 0x80) {
                u32 digit = (u32)(c[at] - '0') < 10;
                plain = (digit && ++run < 7) || c[at] == '-';
                digits += digit, at++;
            } else {
                run = 0;
                plain = size - at >= 3 && is_hanzi(c + at) && !is_of_secrets(c + at);
                at += 3;
            }
        }
        if (plain && digits && length > 4) found += take(hits + 4 * found, row, size, ADDRESS);
        else slow[row] = 1;
    }
    return found;
}

static u32 hanzi_until(const u8 *c, u32 room) {
    u32 n = 0;
    while (3 * n + 3 <= room && is_hanzi(c + 3 * n)) n++;
    return n;
}

enum { PROVINCE, CITY, PART, NO_LEVEL = -1, LONGEST_REGION = 15 };

/* The size of the region below `level` that begins here, and its own level; 0 for none (addresses/regions.py). */
static u32 region(const u8 *c, u32 size, int *level) {
    u32 run = hanzi_until(c, size), head = run >= 2 ? listed(HEADS, c, 6) : 0;
    u32 longest = head > 7 ? LONGEST_REGION : head ? head + 1 : 2;
    for (u32 n = run < longest ? run : longest; n >= 2; n--) {
        u32 found = listed(REGIONS, c, 3 * n);
        int its = (int)((found - 1) & 3);
        if (found && (its > *level || (its == PROVINCE && found > 4))) return *level = its, 3 * n;
        if (n == 2 && (*level == PROVINCE || *level == CITY) && listed(SHORT_DISTRICTS, c, 6)) return *level = PART, 6;
    }
    if (*level != PROVINCE && *level != CITY) return 0;
    for (u32 n = 3; n; n--) {
#define ENDS(word, chars) (n + (chars) <= run && is(c + 3 * n, word, 3 * (chars)))
        u32 more = ENDS("自治县", 3) ? 3 : ENDS("新区", 2) ? 2 : ENDS("区", 1) || ENDS("县", 1) || ENDS("市", 1) || ENDS("旗", 1) ? 1 : 0;
        if (more) return *level = PART, 3 * (n + more);
    }
    return 0;
}

/* The size of the regions at the start of an address that `whole_addresses` took. */
u32 district(const u8 *c, u32 size) {
    int level = NO_LEVEL;
    for (u32 end = 0;;) {
        u32 at = end;
        while (end && at < size && at < end + 2 && c[at] == '-') at++;
        u32 more = region(c + at, size - at, &level);
        if (!more) return end;
        end = at + more;
    }
}

/* OD2025000123, 12.50: what no detector looks at in a column of orders or amounts; the rest goes to Python. */
u32 plain_numbers(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u8 *slow, u32 *hits) {
    (void)hits;
    for (u32 row = 0; row < count; row++) {
        const u8 *c = text + starts[row];
        u32 size = ends[row] - starts[row], at = 0, first;
        while (at < size && at < 4 && (u32)((c[at] | 32) - 'a') < 26) at++;
        if (at < size && (c[at] == '-' || c[at] == '_')) at++;
        first = at;
        while (at < size && ((u32)(c[at] - '0') < 10 || (at > first && (c[at] == '.' || c[at] == ',' || c[at] == '-')))) at++;
        slow[row] = size && (at < size || at == first || at - first > 31);
    }
    return 0;
}
