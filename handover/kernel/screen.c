/* Judges the values of a free-text column: hits that are certain, values that certainly have none, and the rest,
 * which the detectors in Python judge. Wherever a rule below is in doubt it says SLOW: being wrong costs time, never a
 * hit. What the detectors match is written in handover/detection/detectors; screening.py says which versions of them.
 */
#include "kernel.h"

enum { SLOW = 1, ORDER = 2, PHONE = 4, CARD = 8 };
enum { STREET = 1, UNIT = 2, NUMERAL = 4, PLATE = 8, WORD_DIGIT = 16, NAME = 32, DOUBT = 64, JOINS = 128 };
enum { RUNS = 128, HITS = 64, CUES = 32, MOST_GAP = 8, LONGEST_KNOWN = 25, LONGEST_WORD = 25 };
enum { OTHER = 0x80 }; /* a character outside ASCII that folds to nothing in it */

static u32 *transitions; /* row of a state + class of a byte -> row of the next state, and what the terms that end there mean */
static u8 *classes;      /* byte -> class */
static u8 *characters;   /* code point below 65536 -> what it may be part of */
static u8 letters[256];  /* byte -> what it is in a word */

enum { STATE = 0xFFFFFF, MEANING = 24 };
enum { ALNUM = 1, DIGIT = 2, UPPER = 4, NOT_HEX = 8, STRANGER = 16, LOOKALIKE = 32 }; /* lookalikes of digits: O, o, I, l */

void screen_terms(u32 *table, u8 *byte_classes, u8 *of_characters) {
    transitions = table, classes = byte_classes, characters = of_characters;
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
static u32 cue; /* PHONE and CARD since the last digit */

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
    int known = with_numbers ? known_number(number, n) : 0;
    u32 next = after(text, high, run->end);
    int glued = is_letter(run->before) || run->before == '_' || is_letter(next) || next == '_';
    if (glued) {
        if (known || next == '_' || is_letter(next) || !is_letter(run->before)) return SLOW;
        if (run->cue & PHONE || (run->cue & CARD && n >= 12)) return SLOW;
        if (n == 11 && number[0] == '1') return SLOW; /* Tel138… */
        if ((n == 13 && number[0] == '8') || (n == 15 && number[0] == '0')) return SLOW;
        return plain_after(text, high, run->end) ? 0 : SLOW;
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
        if (known > 1 || after_cue(text, start)) return SLOW;
        return hit(start, run->end, MOBILE);
    }
    if (n >= 12 && n <= 19 && luhn_holds(number, n)) {
        if (is_card(number, n)) return after_cue(text, start) ? SLOW : hit(start, run->end, BANK_CARD);
        if (run->cue & CARD) return SLOW;
    }
    if (known) return SLOW;
    return n <= 15 && run->cue & PHONE ? SLOW : 0;
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

/* Takes note of a term that ends at `end`. */
static int hear(u32 meaning, u32 end) {
    if (meaning & SLOW) return SLOW;
    if (meaning & ORDER) {
        if (cue_count == CUES) return SLOW;
        cues[cue_count++] = end;
    }
    cue |= meaning & (PHONE | CARD);
    /* 07700063966 office */
    if (meaning & PHONE && run_count && end - runs[run_count - 1].end <= 16) runs[run_count - 1].cue |= PHONE;
    return 0;
}

/* What has been seen of the value so far. */
static u32 state, place, numeral, members, hidden, separator, hex_signs, hex_dots, accounts, names_end;
/* The last two characters, folded; 0 at the start. */
static u32 before, before2;

/* One step through the terms; SLOW when one ends here that only Python judges. */
#define STEP(byte, end)                                                     \
    do {                                                                    \
        at_state = transitions[(at_state & STATE) + classes[byte]];         \
        if (__builtin_expect(at_state >> MEANING, 0) && hear(at_state >> MEANING, end)) return SLOW; \
    } while (0)

/* Whether letters in a word, behind its start or a digit, are the first word of a known name. */
static int begins_name(const u8 *text, u32 start, u32 end) {
    for (u32 at = start, to; at < end; at = to + 1) {
        for (to = at; to < end && is_letter(text[to]);) to++;
        if (to > at && is_upper(text[at]) && known_word(text + at, to - at)) return 1;
    }
    return 0;
}

/* A word of ASCII letters and digits; its end, or 0 when only Python can judge the value. */
static u32 take_word(const u8 *text, u32 high, u32 start, int with_names) {
    u32 at = start, seen = 0, at_state = state;
    for (; at < high && (letters[text[at]] & ALNUM); at++) {
        seen |= letters[text[at]];
        at_state = transitions[(at_state & STATE) + classes[text[at]]];
        if (__builtin_expect(at_state >> MEANING, 0) && hear(at_state >> MEANING, at + 1)) return 0;
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
        if (digits == size) cue = 0;
        if (judge_word(text, start, at, digits, &accounts)) return 0;
    } else if (size > LONGEST_WORD) return 0;
    if (seen & UPPER) {
        u32 c = text[start];
        if (is_upper(c)) {
            if (before == OTHER && before2 == PLATE) return 0;
            if (before == ' ' && is_digit(before2) && run_count) {
                const Run *number = runs + run_count - 1;
                u32 b = number->before;
                if (number->end + 1 == start && number->end - number->start < 7 && !is_alnum(b) && b != '_' && b != '/' && b != '.' && b != '-') return 0;
            }
        }
        if (with_names && begins_name(text, start, at)) return 0;
    }
    if (seen & STRANGER) members = hidden = 0;
    else {
        members += size, hidden |= seen & LOOKALIKE;
        if (members > 10 && hidden) return 0;
    }
    separator = 0;
    if (seen & NOT_HEX) hex_signs = hex_dots = 0;
    numeral = 1;
    before2 = size > 1 ? text[at - 2] : before;
    before = text[at - 1];
    return at;
}

/* A sign or control character of ASCII. */
static int take_sign(const u8 *text, u32 low, u32 high, u32 at, u32 c) {
    if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '*') return SLOW;
    if ((c == ' ' || c == '.' || c == '-') && !separator) separator = 1;
    else members = hidden = 0;
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

static int judge(const u8 *text, u32 low, u32 high, int with_names, int with_numbers) {
    u32 last = 0, size;
    run_count = hit_count = cue_count = cue = 0;
    state = place = numeral = members = hidden = separator = hex_signs = hex_dots = accounts = before = before2 = 0;
    names_end = low;
    for (u32 at = low; at < high; at += size) {
        u32 c = text[at];
        if (letters[c] & ALNUM) {
            u32 end = take_word(text, high, at, with_names);
            if (!end) return SLOW;
            size = end - at, last = 0;
            continue;
        }
        u32 at_state = state;
        STEP(c, at + 1);
        if (c < 0x80) {
            state = at_state, size = 1, last = 0;
            if (take_sign(text, low, high, at, c)) return SLOW;
            continue;
        }
        u32 code = decode(text, at, &size);
        for (u32 i = 1; i < size; i++) STEP(text[at + i], at + i + 1);
        state = at_state;
        u32 kind = code < 0xFFFF ? characters[code] : DOUBT;
        if (kind & DOUBT) return SLOW;
        c = folded(code);
        if (c != OTHER) {
            if (take_sign(text, low, high, at, c)) return SLOW;
            last = code;
            continue;
        }
        hex_signs = hex_dots = 0;
        if (kind) {
            if (kind & UNIT && place && numeral) return SLOW;
            if (kind & STREET) place = 1;
            if (kind & NAME && with_names && at >= names_end) {
                u32 length = known_name(text + at, high - at);
                if (length == SLOW || (length && hit(at, at + length, PERSON_NAME))) return SLOW;
                if (length) names_end = at + length;
            } else if (kind & NAME && with_names && known_name(text + at, high - at)) return SLOW;
        }
        if (kind & WORD_DIGIT) {
            members++, hidden = 1, separator = 0;
            if (members > 10) return SLOW;
        } else members = hidden = 0;
        /* 1990年5月12日生 */
        if (code == 0x751F && (is_digit(before) || before == ' ' || (before && before < ' ') || last == 0x65E5)) return SLOW;
        numeral = kind & NUMERAL;
        before2 = kind & PLATE ? PLATE : before;
        before = OTHER;
        last = code;
    }
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
    if (kind != MOBILE || size != 11 || c[0] != '1' || c[1] < '3') return 0;
    for (u32 i = 1; i < 11; i++)
        if (!is_digit(c[i])) return 0;
    return 1;
}

/* Hits as (value, start, end, kind), bytes from the start of the value; 1 in `slow` for what Python must judge. */
u32 screen(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u32 options, u32 kind, u8 *slow, u32 *out, u32 room) {
    u32 found = 0;
    for (u32 value = 0; value < count; value++) {
        u32 low = starts[value], high = ends[value];
        if (kind <= PERSON_NAME && low < high && is_just(text + low, high - low, kind) && found < room) {
            slow[value] = 0;
            out[4 * found] = value, out[4 * found + 1] = 0, out[4 * found + 2] = high - low, out[4 * found + 3] = kind;
            found++;
            continue;
        }
        slow[value] = judge(text, low, high, options & 1, options & 2) != 0;
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
    }
    return found;
}
