/* Judges the values of a free-text column: hits that are certain, values that certainly have none, and the rest,
 * which the detectors in Python judge. Wherever a rule below is in doubt it says SLOW: being wrong costs time, never a
 * hit. What the detectors match is written in handover/detection/detectors; screening.py says which versions of them.
 */
#include "kernel.h"

enum { SLOW = 1, ORDER = 2, PHONE = 4, CARD = 8, WHOLE_WORD = 16, CUE = 32, TITLE = 64, LONGITUDE = 128 };
enum {
    STREET = 1, UNIT = 2, NUMERAL = 4, PLATE = 8, WORD_DIGIT = 16, NAME = 32, DOUBT = 64, JOINS = 128, SURNAME = 256, NO_GIVEN = 512,
    TRIGGER = 1024, STOP = 2048, REGION = 4096, BEHIND = 8192, TITLE_START = 16384, NO_PLACE = 32768,
    TERM_START = 65536,
};
enum { RUNS = 128, HITS = 64, CUES = 32, MOST_GAP = 8, LONGEST_KNOWN = 25, LONGEST_WORD = 25 };
enum { OTHER = 0x80 }; /* a character outside ASCII that folds to nothing in it */

static u16 *transitions; /* state and class of a byte -> the next state */
static u8 *meanings;     /* state -> what the terms that end there mean */
static u8 *classes;      /* byte -> class */
static u32 *characters;  /* code point below 65536 -> what it may be part of */
static u8 letters[256];  /* byte -> what it is in a word */

enum { CLASSES = 128 };
enum { ALNUM = 1, DIGIT = 2, UPPER = 4, NOT_HEX = 8, STRANGER = 16, LOOKALIKE = 32 }; /* lookalikes of digits: O, o, I, l */

void screen_terms(u16 *table, u8 *of_states, u8 *byte_classes, u32 *of_characters) {
    transitions = table, meanings = of_states, classes = byte_classes, characters = of_characters;
    for (u32 c = 0; c < 128; c++) {
        u32 small = c | 32, lookalike = c == 'O' || c == 'o' || c == 'I' || c == 'l';
        if (c - '0' < 10) letters[c] = ALNUM | DIGIT;
        else if (small - 'a' < 26)
            letters[c] = ALNUM | (c < 'a' ? UPPER : 0) | (small > 'f' ? NOT_HEX : 0) | (lookalike ? LOOKALIKE : small == 'x' ? 0 : STRANGER);
    }
}

typedef struct { u32 start, end; u8 before, cue; } Run; /* what is in front: a character, and PHONE or CARD */
typedef struct { u32 start, end, kind; } Hit;

static Run runs[RUNS];
static Hit hits[HITS];
static u32 cues[CUES];
static u32 run_count, hit_count, cue_count;
static const u8 *value; /* the text of the value that is judged, from its start to `value_end` */
static u32 value_start, value_end;
static u32 longitude; /* a word for it was heard */
static u32 cue; /* PHONE and CARD since the last digit */

/* What has been seen of the value so far. */
static u32 state, place, numeral, members, hidden, separator, hex_signs, hex_dots, accounts, names_end;
static u32 unit; /* where a number with a word for a part of a house was met */
static u32 segment, trigger;           /* behind the last sign that ends an address: where, and whether a word of places was met since */
static u32 line_plain, line_place; /* a line without signs, and with a character of a street or house in it */
static u32 code1, code2;         /* the last two characters */
/* The same folded; 0 at the start. */
static u32 before, before2;

static int is_digit(u32 c) { return c - '0' < 10; }
static int is_upper(u32 c) { return c - 'A' < 26; }
static int is_letter(u32 c) { return (c | 32) - 'a' < 26 && c < 128; }
static int is_alnum(u32 c) { return is_digit(c) || is_letter(c); }
static int is_hex(u32 c) { return is_digit(c) || ((c | 32) - 'a' < 6 && c < 128); }

static int hit(u32 start, u32 end, u32 kind) {
    if (hit_count == HITS) return SLOW;
    for (u32 i = 0; i < hit_count; i++)
        if (start < hits[i].end && hits[i].start < end) return SLOW; /* which of the two wins is not decided here */
    hits[hit_count++] = (Hit){start, end, kind};
    return 0;
}

static int inside_hit(u32 start, u32 end) {
    for (u32 i = 0; i < hit_count; i++)
        if (hits[i].start <= start && end <= hits[i].end) return 1;
    return 0;
}

/* Length and code point of the character at `at`; the bytes are valid UTF-8. */
static u32 decode(const u8 *text, u32 at, u32 *size) {
    u32 b = text[at];
    if (b < 0x80) return *size = 1, b;
    if (b < 0xE0) return *size = 2, (b & 31) << 6 | (text[at + 1] & 63);
    if (b < 0xF0) return *size = 3, (b & 15) << 12 | (text[at + 1] & 63) << 6 | (text[at + 2] & 63);
    return *size = 4, 0xFFFF;
}

/* What folding makes of a character outside ASCII; OTHER when it stays. */
static u32 folded(u32 code) {
    if ((code >= 0x2010 && code <= 0x2014) || code == 0x2212) return '-';
    if (code == 0xA0 || code == 0x3000) return ' ';
    if (code == 0xFF08) return '(';
    if (code == 0xFF09) return ')';
    return OTHER;
}

/* An alphanumeric word that holds digits: international account numbers and codes of organisations. */
static int judge_word(const u8 *text, u32 start, u32 end, u32 digits, u32 *account_like) {
    u32 size = end - start, letters = size - digits;
    if (size > LONGEST_WORD) return letters ? SLOW : 0;
    if (!letters) return 0;
    if (size == 17) return SLOW; /* a vehicle's number, perhaps */
    if (size >= 4 && is_letter(text[start]) && is_letter(text[start + 1]) && is_digit(text[start + 2]) && is_digit(text[start + 3])) {
        (*account_like)++;
        u32 length = iban_length(text[start], text[start + 1]);
        if (length) {
            if (size != length || !iban_holds(text + start, size)) return SLOW;
            return hit(start, end, IBAN);
        }
    }
    if (size == 18) {
        if (digits == 17 && (text[end - 1] | 32) == 'x' && resident_id_holds(text + start)) return hit(start, end, RESIDENT_ID);
        u32 first = text[start];
        if ((first == '1' || first == '5' || first == '9') && digits >= 8) return uscc_holds(text + start) ? hit(start, end, USCC) : 0;
        if (first == 'A' || first == 'Y' || first == 'N') return SLOW;
    }
    return 0;
}

static int is_atom(u32 c) {
    static const u8 signs[] = "!#$%&'*+/=?^_`{|}~-";
    if (c >= 0x80) return 0;
    if (is_alnum(c)) return 1;
    for (u32 i = 0; signs[i]; i++)
        if (signs[i] == c) return 1;
    return 0;
}

static int judge_at(const u8 *text, u32 low, u32 high, u32 at) {
    u32 start = at;
    while (start > low) {
        u32 c = text[start - 1];
        if (is_atom(c)) start--;
        else if (c == '.' && start < at && start - 1 > low && is_atom(text[start]) && is_atom(text[start - 2])) start--;
        else break;
    }
    if (at - start > 56 || (start >= low + 3 && text[start - 3] == 0xE2)) return SLOW; /* perhaps a dash that folds */
    u32 end = at + 1, label = end, labels = 0, letters = 1;
    while (end < high && (is_alnum(text[end]) || text[end] == '-' || text[end] == '.')) {
        u32 c = text[end];
        if (c == '.') {
            if (end + 1 == high || !(is_alnum(text[end + 1]) || text[end + 1] == '-' || text[end + 1] == '.')) break;
            if (end == label || text[end - 1] == '-') return SLOW;
            label = end + 1, letters = 1, labels++;
        } else if (c == '-' && end == label) return SLOW;
        else if (!is_letter(c)) letters = 0;
        end++;
    }
    if (end < high && text[end] == 0xE2) return SLOW;
    if (start == at) return labels ? SLOW : 0;
    if (!labels) return end < high && text[end] >= 0x80 ? SLOW : 0;
    if (!letters || labels > 7 || end - label < 2 || end - label > 24 || end - at > 60) return SLOW;
    return hit(start, end, EMAIL);
}

/* Whether an order number's cue may stand close before a number: true in doubt. */
static int after_cue(const u8 *text, u32 start) {
    for (u32 i = cue_count; i-- > 0;) {
        u32 end = cues[i], count = 0;
        if (end > start || start - end > 32) continue;
        int blocked = 0;
        for (u32 at = end, size; at < start; at += size) {
            u32 code = decode(text, at, &size);
            blocked |= ++count > 8;
            blocked |= is_digit(code) || code == '\n' || code == ',' || code == ';' || code == 0xFF0C || code == 0x3002 || code == 0xFF1B;
        }
        if (!blocked) return 1;
    }
    return 0;
}

static int plain_before(u32 c) {
    return c == 0 || c == ' ' || c == OTHER || c == ',' || c == ';' || c == ':' || c == '"' || c == '\'' || c == '=' || c == '\n' || c == '\t' || c == '[' || c == '$';
}

static u32 after(const u8 *text, u32 high, u32 at) {
    u32 size;
    if (at >= high) return 0;
    u32 code = decode(text, at, &size);
    return code < 0x80 ? code : folded(code);
}

static int plain_after(const u8 *text, u32 high, u32 end) {
    u32 c = after(text, high, end);
    if (c == ' ') return !is_upper(after(text, high, end + 1)) || text[end] >= 0x80;
    return c == 0 || c == OTHER || c == ',' || c == ';' || c == ':' || c == '"' || c == '\'' || c == '\n' || c == '\t' || c == ']' || c == '.' || c == '!' || c == '?' || c == ')';
}

/* One run of digits that nothing near could join to another. */
static int judge_number(const u8 *text, u32 low, u32 high, const Run *run, int with_numbers) {
    u32 n = run->end - run->start, start = run->start;
    const u8 *number = text + start;
    if (n < 7) return 0;
    for (u32 i = 0; i < hit_count; i++)
        if (hits[i].start <= start && run->end <= hits[i].end) return hits[i].kind == EMAIL && n >= 12 ? SLOW : 0;
    if (n > LONGEST_KNOWN) return SLOW;
#define KNOWN (with_numbers ? known_number(number, n) : 0) /* asked for last, since it is far away */
    u32 next = after(text, high, run->end);
    int glued = is_letter(run->before) || run->before == '_' || is_letter(next) || next == '_';
    if (glued) {
        if (next == '_' || is_letter(next) || !is_letter(run->before)) return SLOW;
        if (run->cue & PHONE || (run->cue & CARD && n >= 12)) return SLOW;
        if (n == 11 && number[0] == '1') return SLOW; /* Tel138… */
        if (n == 18 && resident_id_holds(number)) return SLOW; /* ID1101… */
        if ((n == 13 && number[0] == '8') || (n == 15 && number[0] == '0')) return SLOW;
        return plain_after(text, high, run->end) && !KNOWN ? 0 : SLOW;
    }
    if (!plain_before(run->before) || !plain_after(text, high, run->end)) return SLOW;
    if (run->before == ' ' && start >= low + 2 && (text[start - 2] == 'A' || text[start - 2] == 'Y' || text[start - 2] == 'N')) return SLOW;
    if (n == 18) {
        if (resident_id_holds(number)) return hit(start, run->end, RESIDENT_ID);
        if (uscc_holds(number)) return hit(start, run->end, USCC);
    }
    if (n == 15 || n == 17) return SLOW;
    if (n >= 11 && n <= 16 && (number[0] == '0' || (number[0] == '8' && (number[1] == '6' || number[1] == '8')))) return SLOW;
    if (n == 11 && number[0] == '1' && number[1] >= '3') {
        if (after_cue(text, start) || KNOWN > 1) return SLOW;
        return hit(start, run->end, MOBILE);
    }
    if (n >= 12 && n <= 19 && luhn_holds(number, n)) {
        if (is_card(number, n)) return after_cue(text, start) ? SLOW : hit(start, run->end, BANK_CARD);
        if (run->cue & CARD) return SLOW;
    }
    if (n <= 15 && run->cue & PHONE) return SLOW;
    return KNOWN ? SLOW : 0;
#undef KNOWN
}

/* Whether what stands between two runs could lie inside one number. */
static int joins(const u8 *text, u32 from, u32 to) {
    u32 count = 0;
    if (to - from > 3 * MOST_GAP) return 0;
    for (u32 at = from, size; at < to; at += size) {
        u32 code = decode(text, at, &size);
        if (++count > MOST_GAP) return 0;
        if (code < 0x80) {
            static const u8 inside[] = "xetXETNSWnsw";
            u32 i = 0;
            while (inside[i] && inside[i] != code) i++;
            if (is_alnum(code) && !inside[i]) return 0;
        } else if (!(code < 0x10000 && characters[code] & JOINS)) return 0;
    }
    return 1;
}

/* 2025-01-31, 2025/01/31: so common that it must not be slow. */
static int is_date(const u8 *text, const Run *r, u32 count) {
    if (count != 3 || r[0].end - r[0].start != 4 || r[1].end - r[1].start > 2 || r[2].end - r[2].start > 2) return 0;
    u8 joint = text[r[0].end];
    if ((joint != '-' && joint != '/') || text[r[1].end] != joint) return 0;
    if (r[1].start != r[0].end + 1 || r[2].start != r[1].end + 1) return 0;
    return (text[r[0].start] == '1' && text[r[0].start + 1] == '9') || (text[r[0].start] == '2' && text[r[0].start + 1] == '0');
}

static int judge_runs(const u8 *text, u32 low, u32 high, int with_numbers) {
    for (u32 first = 0, last; first < run_count; first = last + 1) {
        u32 digits = runs[first].end - runs[first].start;
        for (last = first; last + 1 < run_count && joins(text, runs[last].end, runs[last + 1].start); last++)
            digits += runs[last + 1].end - runs[last + 1].start;
        if (last == first) {
            if (judge_number(text, low, high, runs + first, with_numbers)) return SLOW;
            continue;
        }
        if (digits < 7 && last - first < 3) continue; /* four runs may be a pair of coordinates */
        if (inside_hit(runs[first].start, runs[last].end) && digits < 12) continue;
        if (!is_date(text, runs + first, last - first + 1)) return SLOW;
        Run *d = runs + first;
        if (d->cue & PHONE || !plain_before(d->before) || !plain_after(text, high, runs[last].end)) return SLOW;
        if (with_numbers) {
            u8 joined[8];
            u32 n = 0;
            for (u32 i = first; i <= last; i++)
                for (u32 at = runs[i].start; at < runs[i].end; at++) joined[n++] = text[at];
            if (known_number(joined, n)) return SLOW;
        }
    }
    return 0;
}

static u32 kind_at(u32 at, u32 *code) {
    u32 size;
    *code = decode(value, at, &size);
    return *code < 0xFFFF ? characters[*code] : 0;
}

static int is_hanzi(u32 code) { return code >= 0x4E00 && code <= 0x9FFF; }

static int is_given(u32 at) {
    u32 code, kind;
    if (at + 3 > value_end || value[at] < 0xE0) return 0;
    kind = kind_at(at, &code);
    return (is_hanzi(code) || (code >= 0x3400 && code <= 0x4DBF)) && !(kind & NO_GIVEN);
}

/* How long a Chinese name may be that begins here: bit n for n characters (names/chinese.py). */
static u32 name_lengths(u32 at) {
    u32 code, found = 0;
    if (at + 6 > value_end || value[at] < 0xE0 || !(kind_at(at, &code) & SURNAME)) return 0;
    if (listed(COMPOUNDS, value + at, 6) && is_given(at + 6)) found |= is_given(at + 9) ? 1 << 3 | 1 << 4 : 1 << 3;
    if (is_given(at + 3)) found |= is_given(at + 6) ? 1 << 2 | 1 << 3 : 1 << 2;
    return found;
}

/* Whether a name that is no word begins here and ends where one may end. Where a cue introduces it (`bare`) a word will do when no
 * other character follows. A known name that follows may be gone when the text is looked at again. */
static int name_from(u32 at, int bare) {
    u32 lengths = name_lengths(at);
    if (!lengths || known_name(value + at, value_end - at)) return 0;
    for (u32 n = 2; n <= 4; n++) {
        u32 end = at + 3 * n, code = 0, kind = 0;
        if (!(lengths >> n & 1)) continue;
        if (end < value_end) kind = kind_at(end, &code);
        int apart = end >= value_end || !is_hanzi(code) || kind & NAME;
        if ((apart || kind & BEHIND) && ((bare && apart) || !listed(WORDS, value + at, 3 * n))) return 1;
    }
    return 0;
}

/* Whether a character may stand between a cue and the name. */
static int is_between(u32 code) {
    static const u16 between[] = {0x59D3, 0x540D, 0x79F0, 0x5B57, 0x4FE1, 0x606F, 0x662F, 0x4E3A, 0x53EB, ':', 0xFF1A, ' ', 0xA0, 0x3000, '\t', 0xFF08, '(', 0x201C, '"'};
    for (u32 i = 0; i < sizeof between / sizeof *between; i++)
        if (between[i] == code) return 1;
    return 0;
}

static int name_behind_cue(u32 at) {
    u32 code, size, introduced = 0; /* 我是, 他叫, 叫做; or a sign between */
    if (at >= value_start + 3 && value[at - 3] >= 0xE0) {
        code = decode(value, at - 3, &size);
        introduced = code == 0x662F || code == 0x53EB || code == 0x505A;
    }
    for (u32 count = 0; at < value_end && count < 8; at += size, count++) {
        if (name_from(at, introduced || count)) return 1;
        if (!is_between(decode(value, at, &size))) return 0;
    }
    return 0;
}

/* Whether a name that is no word ends at `end`. What overlaps a known name counts only when asked for: the known one is surer, and
 * is gone with it when the text is looked at again. */
static int name_until(u32 end, int any) {
    for (u32 n = 2; n <= 4; n++) {
        if (end < value_start + 3 * n) return 0;
        u32 at = end - 3 * n;
        if (value[at + 3 * (n - 1)] < 0xE0) return 0;
        if (value[at] >= 0xE0 && (any || at >= names_end) && name_lengths(at) >> n & 1 && !listed(WORDS, value + at, 3 * n)) return 1;
    }
    return 0;
}

static u32 sign_at(u32 at, u32 *size) { return at < value_end ? decode(value, at, size) : (*size = 0, 0); }

/* Whether a title or a verb of persons, their sex or a telephone number begins here; WORD when a word does that is one in any case. */
enum { LONGEST_TITLE = 5, WORD = 2 };
static int is_title(u32 at) {
    u32 size, code, from = at;
    for (u32 n = LONGEST_TITLE; n; n--)
        if (at + 3 * n <= value_end && value[at] >= 0xE0 && listed(TITLES, value + at, 3 * n)) return n > 1 ? WORD : 1;
    for (u32 i = 0; i < 3; i++, from += size) {
        code = sign_at(from, &size);
        if (code == 0x7537 || code == 0x5973 || is_digit(code)) return 1;
        if (code != 0xFF08 && code != '(' && code != 0xFF0C && code != ',' && code != 0xFF1A && code != ':' && code != ' ' && code != 0xA0 && code != 0x3000) return 0;
    }
    return 0;
}

static int may_join_names(u32 code) { return code == 0x3001 || code == 0xFF0C || code == ' ' || code == 0xA0 || code == 0x3000; }

/* Whether names stand on both sides of a comma or space: the second ends where the row may end. */
static int is_row_of_names(u32 at, u32 behind) {
    u32 lengths = name_lengths(behind), size;
    if (!lengths || !name_until(at, 1)) return 0;
    if (known_name(value + behind, value_end - behind) && !name_until(at, 0)) return 0;
    for (u32 n = 2; n <= 4; n++) {
        if (!(lengths >> n & 1) || listed(WORDS, value + behind, 3 * n)) continue;
        u32 code = sign_at(behind + 3 * n, &size);
        if (!is_hanzi(code) || code == 0x7B49 || code == 0x548C || code == 0x4E0E || code == 0x53CA) return 1;
    }
    return 0;
}

/* Whether a number that may be a house's stands right before a word: 12 Main, 12A, Main, 12-14 Main, 12 bis Main, 5th Main. */
enum { LONGEST_BEHIND_NUMBER = 6 };
static inline int after_number(const u8 *text, u32 low, u32 start) {
    u32 p = start, n = 0;
    if (p < low + 2) return 0;
    if (text[p - 1] != ' ') return text[p - 1] >= 0x80;
    if (!run_count || runs[run_count - 1].end + LONGEST_BEHIND_NUMBER < start) return 0;
    p--;
    if (text[p - 1] == ',') p--;
    for (; p > low && is_letter(text[p - 1]) && n < 3; n++) p--;
    if (n == 3 && p > low && text[p - 1] == ' ') p--;
    u32 end = p;
    while (p > low && is_digit(text[p - 1])) p--;
    if (p == end || end - p > 6) return 0;
    u32 c = p > low ? text[p - 1] : 0;
    if (c == '-' || c == '/') {
        u32 last = --p;
        while (p > low && is_digit(text[p - 1])) p--;
        if (p == last) return 0;
        c = p > low ? text[p - 1] : 0;
        if (c == '-' || c == '/') return 0;
    }
    return !(is_alnum(c) || c == '_' || c == '.' || c == '$');
}

/* Whether a word that may end a street's name stands right before a number. */
static int behind_street(const u8 *text, u32 low, u32 start, u32 digits) {
    u32 p = start, c = p > low ? text[p - 1] : 0, capital = 0;
    if (digits > 6 || (c != ' ' && c != '#' && c < 0x80)) return 0;
    if (c >= 0x80) return before == ' ';
    while (p > low && start - p < 4 && (text[p - 1] == ' ' || text[p - 1] == '#' || text[p - 1] == ',')) p--;
    if (p > low && text[p - 1] == '.') p--;
    u32 end = p;
    while (p > low && (is_letter(text[p - 1]) || text[p - 1] == '\'' || text[p - 1] == '-')) capital |= is_upper(text[--p]);
    return capital || (end > p && listed(STREET_ENDS, text + p, end - p));
}

/* Whether a value begins with ordinary words and hyphens between, and goes on with a word that can't be of a name: Follow-up visit. */
static int is_plain_compound(const u8 *low, u32 n, u32 at) {
    u32 from = 0, end;
    for (u32 i = 0; i <= n; i++)
        if (i == n || low[i] == '-') {
            if (!listed(PLAIN, low + from, i - from)) return 0;
            from = i + 1;
        } else if (low[i] == '\'') return 0;
    for (end = at + 1; end < value_end && is_letter(value[end]);) end++;
    return end < value_end && value[at] == ' ' && value[end] == ' ' && value[at + 1] >= 'a' && value[at + 1] <= 'z' && !listed(PARTICLES, value + at + 1, end - at - 1);
}

/* Whether a word with a capital may be part of a name in Latin script (names/western.py). */
static int may_be_name(const u8 *text, u32 high, u32 start) {
    u8 low[LONGEST_WORD];
    u32 at = start, n = 0, capitals = 0;
    if (before == '_' || before == '@' || before == '.' || before == '&' || before == '/' || before == '#' || before == '-') return 0;
    for (; at < high && n < LONGEST_WORD; at++) {
        u32 c = text[at];
        if (is_letter(c)) {
            capitals += is_upper(c);
            low[n++] = (u8)(c | 32);
            continue;
        }
        int joined = (c == '\'' || c == '-') && at + 1 < high && is_letter(text[at + 1]);
        if (c == '\'' && joined && text[at + 1] == 's' && !(at + 2 < high && is_letter(text[at + 2]))) joined = 0;
        if (!joined) break;
        low[n++] = (u8)c;
    }
    if (at < high && (n == LONGEST_WORD || (text[at] == 0xE2 && text[at + 1] == 0x80))) return 1;
    if (n == 1) return 0;
    if (start == value_start && at < value_end && is_plain_compound(low, n, at)) return 0;
    return capitals == n && n < 4 ? listed(GIVEN, low, n) != 0 : !listed(ORDINARY, low, n);
}

/* Takes note of a term that ends at `end`. */
static int hear(u32 meaning, u32 end) {
    if (meaning & SLOW) return SLOW;
    if (meaning & WHOLE_WORD && (end == value_end || !is_alnum(value[end]))) return SLOW;
    if (meaning & CUE && name_behind_cue(end)) return SLOW;
    if (meaning & TITLE && name_from(end, 0)) return SLOW;
    longitude |= meaning & LONGITUDE;
    if (meaning & ORDER) {
        if (cue_count == CUES) return SLOW;
        cues[cue_count++] = end;
    }
    cue |= meaning & (PHONE | CARD);
    /* 07700063966 office */
    if (meaning & PHONE && run_count && end - runs[run_count - 1].end <= 16) runs[run_count - 1].cue |= PHONE;
    return 0;
}


/* One step through the terms; SLOW when one ends here that only Python judges. */
#define STEP(byte, end)                                                     \
    do {                                                                    \
        at_state = transitions[at_state * CLASSES + classes[byte]];         \
        if (__builtin_expect(meanings[at_state], 0) && hear(meanings[at_state], end)) return SLOW; \
    } while (0)

/* Whether letters in a word, behind its start or a digit, are the first word of a known name. */
static int begins_name(const u8 *text, u32 start, u32 end) {
    for (u32 at = start, to; at < end; at = to + 1) {
        for (to = at; to < end && is_letter(text[to]);) to++;
        if (to > at && is_upper(text[at]) && known_word(text + at, to - at)) return 1;
    }
    return 0;
}

/* Whether a number follows a street or a building (永茂西路329, 42幢902), or is one of several with hyphens: 花园127-1513. */
static int is_house_number(const u8 *text, u32 high, u32 start, u32 end) {
    if (code1 == 0x8DEF || code1 == 0x8857 || code1 == 0x9053 || code1 == 0x5E62 || code1 == 0x680B || code1 == 0x697C) return 1;
    if (code1 < 0x4E00 || code1 > 0x9FFF || end + 1 >= high || (text[end] != '-' && text[end] != 0xE2)) return 0;
    int year = end - start == 4 && ((text[start] == '1' && text[start + 1] == '9') || (text[start] == '2' && text[start + 1] == '0'));
    return !year && (text[end] == 0xE2 || is_digit(text[end + 1]));
}

/* A word of ASCII letters and digits; its end, or 0 when only Python can judge the value. */
static int is_token_letter(u32 c) { return is_upper(c) || (c >= '2' && c <= '7'); }

/* Whether the word that begins here is that of a pseudonym (detection/replacements.py): what is found within one does not count. Where a
 * number or a name of an account might begin in it and go on behind it, it is left to Python. */
enum { LONG_NUMBER = 7 };
static int is_token(const u8 *text, u32 low, u32 high, u32 start) {
    u32 end = start + TOKEN, at = start - 1, run = 0;
    if (start < low + 2 || text[start - 1] != '-' || end > high) return 0;
    if (end < high && (letters[text[end]] & ALNUM || text[end] == '-' || text[end] == '_')) return 0;
    while (at > low && (text[at - 1] == '_' || (u32)(text[at - 1] - 'a') < 26)) at--;
    if (at == start - 1 || (at > low && is_alnum(text[at - 1]))) return 0;
    for (u32 i = start; i < end; i++) {
        run = is_digit(text[i]) ? run + 1 : 0;
        if (run == LONG_NUMBER || !is_token_letter(text[i])) return 0;
    }
    return !is_upper(text[start]) || !is_upper(text[start + 1]) || iban_length(text[start], text[start + 1]) <= TOKEN;
}

static u32 take_word(const u8 *text, u32 high, u32 start, int with_names) {
    u32 at = start, seen = 0, at_state = state;
    int token = is_token(text, value_start, high, start);
    u32 quiet = token && is_upper(text[start + TOKEN - 1]) ? start + TOKEN : 0; /* no number that a cue introduces goes on behind it */
    for (; at < high && (letters[text[at]] & ALNUM); at++) {
        seen |= letters[text[at]];
        at_state = transitions[at_state * CLASSES + classes[text[at]]];
        if (__builtin_expect(meanings[at_state], 0) && at + 1 >= quiet && hear(meanings[at_state], at + 1)) return 0;
    }
    state = at_state;
    u32 size = at - start;
    if (seen & DIGIT) {
        u32 digits = 0;
        for (u32 i = start; i < at; i++) {
            if (!is_digit(text[i])) continue;
            digits++;
            if (i > start && is_digit(text[i - 1])) {
                runs[run_count - 1].end = i + 1;
                continue;
            }
            if (run_count == RUNS) return 0;
            /* A telephone's cue counts for the number behind the next word too: 电话62345678或者62345679. */
            if (run_count && i - runs[run_count - 1].end <= 15) cue |= runs[run_count - 1].cue & PHONE;
            runs[run_count++] = (Run){i, i + 1, i > start ? text[i - 1] : before, cue};
        }
        if (is_digit(text[start])) {
            if (is_house_number(text, high, start, at)) return 0;
            u32 first = 0;
            while (first < size && is_digit(text[start + first])) first++;
            if (behind_street(text, value_start, start, first)) return 0;
        }
        if (digits == size) cue = 0;
        if (!token && judge_word(text, start, at, digits, &accounts)) return 0;
    } else if (size > LONGEST_WORD && !token) return 0;
    else if (before == ' ' && is_letter(text[start]) && after_number(text, value_start, start) && listed(STREETS, text + start, size)) return 0;
    if (place && place + 60 > start)
        for (u32 i = start; i < at; i++)
            if ((text[i] | 32) == 'f') return 0; /* 12F, a floor */
    if (seen & UPPER) {
        u32 c = text[start];
        if (is_upper(c)) {
            if ((before == OTHER && before2 == PLATE) || (c == 'W' && size > 1 && text[start + 1] == 'J')) return 0;
            if (may_be_name(text, high, start) || (before == ' ' && after_number(text, value_start, start))) return 0;
        }
        if (with_names && begins_name(text, start, at)) return 0;
    }
    if (seen & STRANGER) members = hidden = 0;
    else {
        members += size, hidden |= seen & LOOKALIKE;
        if (members > 10 && hidden && !token) return 0;
    }
    separator = 0;
    if (seen & NOT_HEX) hex_signs = hex_dots = 0;
    numeral = 1;
    code2 = size > 1 ? text[at - 2] : code1, code1 = text[at - 1];
    before2 = size > 1 ? text[at - 2] : before;
    before = text[at - 1];
    return at;
}

/* A sign or control character of ASCII. */
static int take_sign(const u8 *text, u32 low, u32 high, u32 at, u32 c) {
    if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '*') return SLOW;
    if ((c == ' ' || c == '.' || c == '-') && !separator) separator = 1;
    else members = hidden = 0;
    if (c == '#' && place && numeral) return SLOW;
    if (c == ';' || c == '!' || c == '?' || c == '"' || c == ':' || c == '\t' || c == '\n' || c == '<' || c == '>') segment = at + 1, trigger = 0;
    if (c == '\n') {
        if (line_plain && line_place) return SLOW;
        line_plain = 1, line_place = 0;
    } else if (c != '-' && c != '_' && c != '(' && c != ')') line_plain = 0;
    if (c == ':' || c == '-') {
        if ((c == ':' && before == ':') || ++hex_signs > 4) return SLOW;
        hex_dots = 0;
    } else if (c == '.') {
        if (is_hex(before) && ++hex_dots > 1) return SLOW;
        hex_signs = 0;
    } else hex_signs = hex_dots = 0;
    numeral = 0;
    before2 = before;
    before = c;
    return c == '@' ? judge_at(text, low, high, at) : 0;
}

enum { NO_FIRST = 1, NO_LAST = 2 };
static int is_doubtful(u32 at, u32 where) {
    u32 found = listed(NAME_EDGES, value + at, 3);
    return found && (found - 1) & where;
}

/* A name right before a title that begins at `at`: a hit where it begins a value or follows a sign and is plainly a name. */
static int titled_name(u32 at) {
    static const u32 orders[] = {3, 2, 4};
    for (u32 n = 1; n < LONGEST_TITLE && at >= value_start + 3 * n; n++) /* a title that ends here or reaches over */
        for (u32 size = n; size <= LONGEST_TITLE && at + 3 * (size - n) <= value_end; size++)
            if (listed(TITLES, value + at - 3 * n, 3 * size)) return SLOW;
    for (u32 i = 0; i < 3; i++) {
        u32 n = orders[i], start = at - 3 * n, back = start;
        if (at < value_start + 3 * n || value[start] < 0xE0 || !(name_lengths(start) >> n & 1) || listed(WORDS, value + start, 3 * n)) continue;
        if (is_doubtful(start, NO_FIRST) || is_doubtful(at - 3, NO_LAST)) return SLOW;
        if (start > value_start) {
            while ((value[--back] & 0xC0) == 0x80) {}
            u32 size, code = decode(value, back, &size);
            if (is_hanzi(code)) return SLOW;
        }
        return hit(start, at, TITLED_NAME);
    }
    return SLOW;
}

/* Whether a surname that may stand alone ends where a title begins that it may stand before: 王先生. */
static int surname_alone(u32 at) {
    u32 code;
    if (at < value_start + 3 || value[at - 3] < 0xE0 || !(kind_at(at - 3, &code) & SURNAME)) return 0;
    for (u32 n = 2; n <= LONGEST_TITLE; n++)
        if (at + 3 * n <= value_end && value[at] >= 0xE0 && listed(TITLES, value + at, 3 * n) > 1) return 1;
    return 0;
}

/* A Chinese name that ends here, where a title, a verb or another name follows: `code` and `size` are of the character at `at`. */
static int name_before(u32 at, u32 code, u32 size) {
    if (!name_until(at, 1)) return surname_alone(at) ? SLOW : 0;
    int title = is_title(at);
    if (title && name_until(at, 0)) return title == WORD ? titled_name(at) : SLOW;
    if (title && surname_alone(at)) return SLOW;
    return may_join_names(code) && is_row_of_names(at, at + size) ? SLOW : 0;
}

/* How many numbers have two decimals or more. */
static u32 decimals(const u8 *text) {
    u32 count = 0;
    for (u32 i = 1; i < run_count; i++)
        count += runs[i].start == runs[i - 1].end + 1 && text[runs[i - 1].end] == '.' && runs[i].end - runs[i].start > 1;
    return count;
}

static int begins_region(u32 at) { return value_end - at >= 6 && value[at + 3] >= 0xE0 && listed(HEADS, value + at, 6); }

/* Whether a region's name begins in what stands before a word of places. */
static int holds_region(u32 from, u32 to) {
    for (u32 at = from, size, code; at < to; at += size) {
        code = decode(value, at, &size);
        if (code < 0xFFFF && characters[code] & REGION && begins_region(at)) return 1;
    }
    return 0;
}

static int judge(const u8 *text, u32 low, u32 high, int with_names, int with_numbers) {
    u32 last = 0, size;
    u32 surnames = 0; /* bit n: so many characters before this one stood one that surnames begin with */
    run_count = hit_count = cue_count = cue = longitude = unit = trigger = line_place = code1 = code2 = 0;
    line_plain = 1, segment = low;
    value = text, value_start = low, value_end = high;
    state = place = numeral = members = hidden = separator = hex_signs = hex_dots = accounts = before = before2 = 0;
    names_end = low;
    for (u32 at = low; at < high; at += size) {
        u32 c = text[at];
        u32 code = c, kind = c < 0x80 ? characters[c] : 0, behind = at > low && text[at - 1] >= 0x80; /* a character outside ASCII */
        size = 1;
        if (c >= 0x80) {
            code = decode(text, at, &size);
            kind = code < 0xFFFF ? characters[code] : DOUBT;
        }
        surnames <<= 1;
        if (behind && surnames & 0x1E && (kind & TITLE_START || !is_hanzi(code)) && name_before(at, code, size)) return SLOW;
        if (letters[c] & ALNUM) {
            if (code1 == 0x4F7F && is_digit(c)) return SLOW; /* 使014578 */
            u32 end = take_word(text, high, at, with_names);
            if (!end) return SLOW;
            size = end - at, last = 0;
            continue;
        }
        if (c < 0x80) {
            u32 at_state = state;
            STEP(c, at + 1);
            state = at_state, last = 0, code2 = code1, code1 = c;
            if (c == ' ') { /* what `take_sign` does with it */
                if (separator) members = hidden = 0;
                separator = 1, line_plain = hex_signs = hex_dots = numeral = 0, before2 = before, before = ' ';
            } else if (take_sign(text, low, high, at, c)) return SLOW;
            continue;
        }
        if (state || kind & TERM_START) {
            u32 at_state = state;
            for (u32 i = 0; i < size; i++) STEP(text[at + i], at + i + 1);
            state = at_state;
        }
        if (kind & DOUBT) return SLOW;
        c = is_hanzi(code) ? OTHER : folded(code);
        if (c != OTHER) {
            if (take_sign(text, low, high, at, c)) return SLOW;
            code2 = code1, code1 = last = code;
            continue;
        }
        hex_signs = hex_dots = 0;
        if (kind) {
            if (kind & UNIT && numeral) {
                if ((place && place + 150 > at) || (unit && unit + 60 > at)) return SLOW;
                line_place = 1, unit = at + 1;
            }
            if (kind & STREET) place = at + 1, line_place = 1;
            if (kind & TRIGGER && !trigger) {
                trigger = 1;
                if (holds_region(segment, at)) return SLOW;
            }
            if (trigger && kind & REGION && begins_region(at)) return SLOW;
            if (kind & STOP) segment = at + size, trigger = 0;
            if (kind & SURNAME && (is_digit(code1) || code2 == 0x7537 || code2 == 0x5973 || code2 == 0x8BF4 || code2 == 0x79F0) && name_from(at, 0)) return SLOW;
            if (kind & NAME && with_names && at >= names_end) {
                u32 length = known_name(text + at, high - at);
                if (length == SLOW || (length && hit(at, at + length, PERSON_NAME))) return SLOW;
                if (length) names_end = at + length;
            } else if (kind & NAME && with_names && known_name(text + at, high - at)) return SLOW;
        }
        if (!is_hanzi(code) && code != 0xB7) line_plain = 0;
        if (kind & NO_PLACE) line_plain = 0;
        if (kind & WORD_DIGIT) {
            members++, hidden = 1, separator = 0;
            if (members > 10) return SLOW;
        } else members = hidden = 0;
        /* 1990年5月12日生 */
        if (code == 0x751F && (is_digit(before) || before == ' ' || (before && before < ' ') || last == 0x65E5 || last == 0x6708)) return SLOW;
        numeral = kind & NUMERAL;
        surnames |= (kind & SURNAME) != 0;
        before2 = kind & PLATE ? PLATE : before;
        before = OTHER;
        code2 = code1, code1 = last = code;
    }
    if (line_plain && line_place) return SLOW;
    if (longitude && decimals(text) > 1) return SLOW;
    if (judge_runs(text, low, high, with_numbers)) return SLOW;
    if (accounts > 1)
        for (u32 i = 0; i < hit_count; i++)
            if (hits[i].kind == IBAN) return SLOW;
    return 0;
}

static int is_plain_mail(const u8 *c, u32 size) {
    u32 at = 0, dots = 0, last = 0, signs = 1; /* a sign stands between letters or digits */
    if (size > 64) return 0;
    for (; at < size && c[at] != '@'; at++) {
        if (is_alnum(c[at])) signs = 0;
        else if ((c[at] == '.' || c[at] == '_' || c[at] == '-') && !signs) signs = 1;
        else return 0;
    }
    if (!at || signs || at == size) return 0;
    signs = 1;
    for (at++; at < size; at++) {
        if (is_alnum(c[at])) signs = 0;
        else if ((c[at] == '.' || c[at] == '-') && !signs) {
            signs = 1;
            if (c[at] == '.') dots++, last = at + 1;
        } else return 0;
    }
    if (!dots || dots > 8 || signs || size - last < 2 || size - last > 24) return 0;
    for (at = last; at < size; at++)
        if (!is_letter(c[at])) return 0;
    return 1;
}

/* Whether a value of a column of one kind is just that: what detection/certain.py says at a glance. */
static int is_just(const u8 *c, u32 size, u32 kind) {
    if (kind == RESIDENT_ID) return size == 18 && resident_id_holds(c);
    if (kind == EMAIL) return is_plain_mail(c, size);
    if (kind == PERSON_NAME) return size <= 12 && known_name(c, size) == size;
    if (kind != MOBILE && kind != BANK_CARD) return 0;
    for (u32 i = 0; i < size; i++)
        if (!is_digit(c[i])) return 0;
    if (kind == MOBILE) return size == 11 && c[0] == '1' && c[1] >= '3';
    /* Of 15, 17 and 18 digits are other numbers too. */
    return size >= 12 && size <= 19 && size != 15 && size != 17 && size != 18 && luhn_holds(c, size) && is_card(c, size);
}

enum { REMEMBERED = 2048, WORTH_REMEMBERING = 32 };
typedef struct { u64 hash; u32 value, first, hits; } Judged; /* one more than the value's number; its hits */
static Judged judged[REMEMBERED];

/* The place for a text of at least 8 bytes, by some of its words. */
static Judged *judged_like(const u8 *text, u32 size) {
    u64 h = size;
    for (u32 at = 0; at + 8 <= size; at += 8) h = (h ^ *(const u64 *)(text + at)) * 0x9E3779B97F4A7C15ull, h ^= h >> 32;
    h = (h ^ *(const u64 *)(text + size - 8)) * 0x9E3779B97F4A7C15ull;
    Judged *place = judged + (h >> 40) % REMEMBERED;
    if (place->hash != h) place->value = 0, place->hash = h;
    return place;
}

static int equal(const u8 *a, const u8 *b, u32 size) {
    for (u32 at = 0; at + 8 <= size; at += 8)
        if (*(const u64 *)(a + at) != *(const u64 *)(b + at)) return 0;
    return *(const u64 *)(a + size - 8) == *(const u64 *)(b + size - 8);
}

static int begins(const u8 *c, const char *with) {
    for (u32 i = 0; with[i]; i++)
        if (c[i] != (u8)with[i]) return 0;
    return 1;
}

/* Whether a value is what a redaction leaves in place of one: a pseudonym, a marker, a surrogate, or masked for the most part. */
enum { LONGEST_REPLACEMENT = 64 };
int is_replacement(const u8 *c, u32 size) {
    u32 words = 0, capitals = 0, digits = 0, codes = 0, stars = 0, characters = 0;
    if (!size || size > LONGEST_REPLACEMENT) return 0;
    for (u32 i = 0; i < size; i++) stars += c[i] == '*', characters += (c[i] & 0xC0) != 0x80;
    if (stars) return 10 * stars > 3 * characters;
    while (words < size && (c[words] == '_' || (u32)(c[words] - 'a') < 26)) words++;
    if (words && words + 1 + TOKEN == size && c[words] == '-') {
        while (capitals < TOKEN && is_token_letter(c[words + 1 + capitals])) capitals++;
        return capitals == TOKEN;
    }
    if (c[0] == '[' && c[size - 1] == ']' && size > 2) {
        for (u32 i = 1; i < size - 1; i++)
            if (c[i] != '_' && (u32)(c[i] - 'a') >= 26) return 0;
        return 1;
    }
    while (codes < size && ((u32)(c[codes] - 'a') < 26 || (c[codes] >= '2' && c[codes] <= '7'))) codes++;
    if (codes == 25 && size == 25 + 16 && begins(c + 25, "@example.invalid")) return 1;
    while (digits < size && is_digit(c[size - 1 - digits])) digits++;
    if (size == 11 && digits == 11) return c[0] == '1' && c[1] < '2';
    if (size == 12) return digits == 8 && begins(c, "000-");
    if (size == 16 && digits == 15) return begins(c, "+999");
    if (size == 16) return digits == 16 && begins(c, "0000");
    return size == 18 && digits == 18 && c[0] == '0' && c[1] == '0';
}

/* Hits as (value, start, end, kind), bytes from the start of the value; 1 in `slow` for what Python must judge. A longer text that is met
 * again is judged once. */
u32 screen(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 options, u32 kind, u8 *slow, u32 *out, u32 room) {
    u32 found = 0;
    for (u32 i = 0; i < REMEMBERED; i++) judged[i].value = 0;
    for (u32 value = 0; value < count; value++) {
        u32 low = starts[value], high = ends[value];
        if (kind <= PERSON_NAME && low < high && is_just(text + low, high - low, kind) && found < room) {
            slow[value] = 0;
            out[4 * found] = value, out[4 * found + 1] = 0, out[4 * found + 2] = high - low, out[4 * found + 3] = kind;
            found++;
            continue;
        }
        if (options & REPLACED && is_replacement(text + low, high - low)) {
            slow[value] = 0;
            continue;
        }
        Judged *place = high - low >= WORTH_REMEMBERING ? judged_like(text + low, high - low) : 0;
        if (place && place->value) {
            u32 before = place->value - 1;
            if (ends[before] - starts[before] == high - low && equal(text + starts[before], text + low, high - low) && found + place->hits <= room) {
                slow[value] = slow[before];
                for (u32 i = 0; i < 4 * place->hits; i++) out[4 * found + i] = i % 4 ? out[4 * place->first + i] : value;
                found += place->hits;
                continue;
            }
        }
        if (place) *place = (Judged){place->hash, value + 1, found, 0};
        slow[value] = judge(text, low, high, options & WITH_NAMES, options & WITH_NUMBERS) != 0;
        if (slow[value]) continue;
        if (found + hit_count > room) {
            slow[value] = 1;
            continue;
        }
        for (u32 i = 1; i < hit_count; i++) /* numbers were judged after words */
            for (u32 j = i; j && hits[j].start < hits[j - 1].start; j--) {
                Hit moved = hits[j];
                hits[j] = hits[j - 1], hits[j - 1] = moved;
            }
        for (u32 i = 0; i < hit_count; i++, found++) {
            out[4 * found] = value;
            out[4 * found + 1] = hits[i].start - low;
            out[4 * found + 2] = hits[i].end - low;
            out[4 * found + 3] = hits[i].kind;
        }
        if (place) place->hits = hit_count;
    }
    return found;
}
