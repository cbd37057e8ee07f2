/* Delimited text: into cells in place, and cells with their replacements back into text. */
#include <wasm_simd128.h>

#include "kernel.h"

/* The first place from `at` on that holds one of three bytes; `size` if none does. */
static u32 skip(const u8 *text, u32 at, u32 size, u32 a, u32 b, u32 c) {
    v128_t x = wasm_i8x16_splat((char)a), y = wasm_i8x16_splat((char)b), z = wasm_i8x16_splat((char)c);
    for (; at + 16 <= size; at += 16) {
        v128_t t = wasm_v128_load(text + at);
        v128_t found = wasm_v128_or(wasm_v128_or(wasm_i8x16_eq(t, x), wasm_i8x16_eq(t, y)), wasm_i8x16_eq(t, z));
        if (wasm_v128_any_true(found)) return at + (u32)__builtin_ctz(wasm_i8x16_bitmask(found));
    }
    while (at < size && text[at] != a && text[at] != b && text[at] != c) at++;
    return at;
}

/* How many cells of each column are not empty. */
static void count_filled(const u32 *starts, const u32 *ends, u32 count, u32 columns, u32 most, u32 *out) {
    for (u32 column = 0; column < columns; column++, starts += most, ends += most) {
        u32 filled = 0, i = 0;
        for (; i + 4 <= count; i += 4) filled += (u32)__builtin_popcount(wasm_i32x4_bitmask(wasm_u32x4_gt(wasm_v128_load(ends + i), wasm_v128_load(starts + i))));
        for (; i < count; i++) filled += ends[i] > starts[i];
        out[column] = filled;
    }
}

static u32 line_feeds(const u8 *text, u32 size) {
    u32 found = 0;
    for (u32 at = 0; at < size; at += 16) {
        u32 bits = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(text + at), wasm_i8x16_splat('\n')));
        found += (u32)__builtin_popcount(size - at < 16 ? bits & ((1u << (size - at)) - 1) : bits);
    }
    return found;
}

/* Reads whole records (RFC 4180, as leniently as Python's csv). Cells are (start, end) in `text`, cell (row, column) at
 * [column * most + row]; quotes are taken out and line ends made LF in place. `said`: rows, bytes taken, rows of another
 * width than `columns`, cells of the widest row, whether it is UTF-8, lines taken, and of each column how many cells are not empty. A record that may go on behind `size` is not taken unless `final`. */
void split(u8 *text, u32 size, u32 final, u32 delimiter, u32 columns, u32 *starts, u32 *ends, u32 most, u32 *said) {
    u32 rows = 0, taken = 0, ragged = 0, widest = 0, lines = 0, at = 0;
    said[4] = is_utf8(text, size);
    while (at < size && rows < most) {
        u32 column = 0, blank = 1, whole = 0;
        for (;;) {
            u32 start = at, end, quoted = at < size && text[at] == '"';
            if (!quoted) {
                end = at = skip(text, at, size, delimiter, '\n', '\r');
            } else {
                u32 inside = 1;
                start++;
                end = at = skip(text, start, size, '"', '\r', '"');
                lines += line_feeds(text + start, at - start);
                for (; at < size; at++) {
                    u8 c = text[at];
                    if (inside && c == '"') {
                        if (at + 1 < size && text[at + 1] == '"') at++;
                        else { inside = 0; continue; }
                    } else if (!inside && (c == delimiter || c == '\n' || c == '\r')) break;
                    else if (c == '\r') {
                        if (at + 1 < size && text[at + 1] == '\n') continue;
                        c = '\n';
                    }
                    text[end++] = c, lines += c == '\n';
                }
                if (at == size && inside && !final) goto done;
            }
            if (column < columns) starts[column * most + rows] = start, ends[column * most + rows] = end;
            column++;
            blank &= column == 1 && end == start && !quoted;
            if (at >= size) { whole = final; break; }
            if (text[at] == delimiter) { at++; continue; }
            if (text[at] == '\r') {
                if (at + 1 == size && !final) break;
                if (at + 1 < size && text[at + 1] == '\n') at++;
            }
            at++, whole = 1;
            break;
        }
        if (!whole) break;
        taken = at, lines++;
        if (blank) continue;
        if (column != columns) ragged++;
        if (column > widest) widest = column;
        for (; column < columns; column++) starts[column * most + rows] = ends[column * most + rows] = 0;
        rows++;
    }
done:
    said[0] = rows, said[1] = taken, said[2] = ragged, said[3] = widest, said[5] = lines;
    count_filled(starts, ends, rows, columns, most, said + 6);
}

/* The cells of a column one behind the other, LF behind each; its size, or 0 when a cell holds an LF itself. */
u32 gather(const u8 *text, const u32 *starts, const u32 *ends, u32 count, u8 *out) {
    u32 size = 0;
    for (u32 i = 0; i < count; i++) {
        const u8 *cell = text + starts[i];
        u32 left = ends[i] - starts[i];
        for (u32 at = 0; at < left; at += 16) {
            v128_t t = wasm_v128_load(cell + at);
            u32 feeds = wasm_i8x16_bitmask(wasm_i8x16_eq(t, wasm_i8x16_splat('\n')));
            if (feeds && at + (u32)__builtin_ctz(feeds) < left) return 0;
            wasm_v128_store(out + size + at, t);
        }
        size += left;
        out[size++] = '\n';
    }
    return size;
}

enum { AS_IS, EMPTY, EDITED };

typedef struct {
    u32 mode;
    const u32 *starts, *ends; /* of the cells */
    const u32 *hits;          /* (row, start, end, kind), by row and start */
    u32 hit_count;
    const u32 *given;         /* row -> which text of the caller stands in for the cell, or NONE */
    const u32 *given_ends;
    const u8 *given_text;
    const u32 *actions;       /* kind -> KEEP … DISTRICT */
    const u8 *tokens;         /* of the hits, in their order */
} Column;

static int is_number(const u8 *c, u32 size) {
    u32 at = size && (c[0] == '-' || c[0] == '+');
    if (at >= size || (u32)(c[at] - '0') > 9) return 0;
    while (at < size && ((u32)(c[at] - '0') < 10 || c[at] == ',')) at++;
    if (at + 1 < size && c[at] == '.' && (u32)(c[at + 1] - '0') < 10)
        for (at++; at < size && (u32)(c[at] - '0') < 10;) at++;
    if (at < size && (c[at] | 32) == 'e') {
        u32 from = at + 1 + (at + 1 < size && (c[at + 1] == '-' || c[at + 1] == '+')), to = from;
        while (to < size && to < from + 3 && (u32)(c[to] - '0') < 10) to++;
        if (to > from) at = to;
    }
    if (at < size && c[at] == '%') at++;
    return at == size;
}

/* What a spreadsheet program would run (formats/formulas.py). */
static int is_formula(const u8 *c, u32 size) {
    if (!size) return 0;
    u8 b = c[0];
    if (b > '@' && b < 0xEF) return 0;
    if (b == 0xEF) return size > 2 && c[1] == 0xBC && (c[2] == 0x9D || c[2] == 0x8B || c[2] == 0x8D || c[2] == 0xA0);
    return (b == '=' || b == '+' || b == '-' || b == '@' || b == '\t' || b == '\r' || b == '\n') && !is_number(c, size);
}

/* A bit for each of the first `size` of 16 bytes that makes quotes necessary; behind every buffer there are 16 bytes more. */
static inline u32 special(v128_t t, u32 size, v128_t delimiter) {
    const v128_t y = wasm_i8x16_const_splat('"'), n = wasm_i8x16_const_splat('\n'), r = wasm_i8x16_const_splat('\r');
    v128_t found = wasm_v128_or(wasm_v128_or(wasm_i8x16_eq(t, delimiter), wasm_i8x16_eq(t, y)), wasm_v128_or(wasm_i8x16_eq(t, n), wasm_i8x16_eq(t, r)));
    u32 bits = wasm_i8x16_bitmask(found);
    return size < 16 ? bits & ((1u << size) - 1) : bits;
}

static int needs_quotes(const u8 *c, u32 size, v128_t delimiter) {
    u32 found = 0;
    for (u32 i = 0; i < size; i += 16) found |= special(wasm_v128_load(c + i), size - i, delimiter);
    return found != 0;
}

/* Writes up to 15 bytes more, which what comes next writes over. */
static inline u8 *copy(u8 *out, const u8 *from, u32 size) {
    for (u32 i = 0; i < size; i += 16) wasm_v128_store(out + i, wasm_v128_load(from + i));
    return out + size;
}

static u8 *copy_quoted(u8 *out, const u8 *from, u32 size) {
    for (u32 i = 0; i < size; i++) {
        if (from[i] == '"') *out++ = '"';
        *out++ = from[i];
    }
    return out;
}

/* Most cells need no quotes: that is found out while they are copied. */
static u8 *write_cell(u8 *out, const u8 *cell, u32 size, v128_t delimiter, u32 alone) {
    u32 formula = (u32)is_formula(cell, size), found = alone && !size;
    u8 *to = out;
    if (formula) *to++ = '\'';
    for (u32 i = 0; i < size; i += 16) {
        v128_t t = wasm_v128_load(cell + i);
        wasm_v128_store(to + i, t);
        found |= special(t, size - i, delimiter);
    }
    if (!found) return to + size;
    *out++ = '"';
    if (formula) *out++ = '\'';
    out = copy_quoted(out, cell, size);
    *out++ = '"';
    return out;
}

static u8 *replace(u8 *out, const u8 *value, u32 size, u32 action, const Label *kind, const u8 *token) {
    if (action == KEEP) return copy(out, value, size);
    if (action == MAKE_TOKEN) {
        out = copy(out, kind->text, kind->size);
        *out++ = '-';
        return copy(out, token, TOKEN);
    }
    u32 kept = action == YEAR ? 4 : action == DISTRICT ? district(value, size) : 0;
    if (kept) return copy(out, value, kept);
    *out++ = '[';
    out = copy(out, kind->text, kind->size);
    *out++ = ']';
    return out;
}

static u8 *write_edited(u8 *out, const u8 *cell, u32 size, const u32 *hit, const u32 *stop, const Column *column, const Label *kinds, v128_t delimiter) {
    u32 quoted = needs_quotes(cell, size, delimiter), done = 0;
    u8 *(*plain)(u8 *, const u8 *, u32) = quoted ? copy_quoted : copy;
    if (quoted) *out++ = '"';
    u32 covered = hit[1] == 0 && column->actions[hit[3]] != KEEP;
    if (!covered && is_formula(cell, size)) *out++ = '\'';
    const u8 *token = column->tokens;
    for (; hit < stop; hit += 4, token += TOKEN) {
        out = plain(out, cell + done, hit[1] - done);
        out = replace(out, cell + hit[1], hit[2] - hit[1], column->actions[hit[3]], kinds + hit[3], token);
        done = hit[2];
    }
    out = plain(out, cell + done, size - done);
    if (quoted) *out++ = '"';
    return out;
}

/* Records with what their columns say in place of cells; only those that `keep` marks, when there is a `keep`. */
u32 join(const u8 *text, u32 rows, Column *columns, u32 count, const Label *kinds, u32 delimiter, const u8 *keep, u8 *to) {
    u8 *out = to;
    v128_t sign = wasm_i8x16_splat((char)delimiter);
    for (u32 row = 0; row < rows; row++) {
        int kept = !keep || keep[row];
        for (u32 c = 0; c < count; c++) {
            Column *column = columns + c;
            const u32 *hit = column->hits, *stop = hit;
            u32 left = column->hit_count;
            while (left && stop[0] == row) stop += 4, left--;
            column->hits = stop, column->hit_count = left;
            const u8 *after = column->tokens + TOKEN * ((u32)(stop - hit) / 4);
            if (!kept) {
                column->tokens = after;
                continue;
            }
            if (c) *out++ = delimiter;
            const u8 *cell = text + column->starts[row];
            u32 size = column->ends[row] - column->starts[row];
            if (column->mode == EMPTY) size = 0;
            else if (column->mode == EDITED && column->given && column->given[row] != NONE) {
                u32 which = column->given[row], from = which ? column->given_ends[which - 1] : 0;
                cell = column->given_text + from, size = column->given_ends[which] - from;
            } else if (stop > hit) {
                out = write_edited(out, cell, size, hit, stop, column, kinds, sign);
                column->tokens = after;
                continue;
            }
            column->tokens = after;
            out = write_cell(out, cell, size, sign, count == 1);
        }
        if (kept) *out++ = '\r', *out++ = '\n';
    }
    return (u32)(out - to);
}
