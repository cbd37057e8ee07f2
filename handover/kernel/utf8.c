/* Whether bytes are UTF-8 (RFC 3629) without null bytes: 16 at a time, by looking up what each two neighbours can't be (Keiser and
 * Lemire, Validating UTF-8 In Less Than One Instruction Per Byte, 2020). */
#include <wasm_simd128.h>

#include "kernel.h"

enum {
    TOO_SHORT = 1, TOO_LONG = 2, OVERLONG_3 = 4, TOO_LARGE = 8, SURROGATE_HALF = 16, OVERLONG_2 = 32, TOO_LARGE_1000 = 64, OVERLONG_4 = 64,
    TWO_CONTINUED = 128, CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUED,
};

static v128_t errors_of(v128_t now, v128_t before) {
    const v128_t first_high = wasm_u8x16_const(
        TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TWO_CONTINUED, TWO_CONTINUED, TWO_CONTINUED, TWO_CONTINUED,
        TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE_HALF, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
    const v128_t first_low = wasm_u8x16_const(
        CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000,
        CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE_HALF, CARRY | TOO_LARGE | TOO_LARGE_1000, CARRY | TOO_LARGE | TOO_LARGE_1000);
    const v128_t second_high = wasm_u8x16_const(
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUED | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4, TOO_LONG | OVERLONG_2 | TWO_CONTINUED | OVERLONG_3 | TOO_LARGE,
        TOO_LONG | OVERLONG_2 | TWO_CONTINUED | SURROGATE_HALF | TOO_LARGE, TOO_LONG | OVERLONG_2 | TWO_CONTINUED | SURROGATE_HALF | TOO_LARGE,
        TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
    const v128_t low_bits = wasm_u8x16_const_splat(15);
    v128_t one = wasm_i8x16_shuffle(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    v128_t two = wasm_i8x16_shuffle(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
    v128_t three = wasm_i8x16_shuffle(before, now, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    v128_t special = wasm_v128_and(
        wasm_v128_and(wasm_i8x16_swizzle(first_high, wasm_u8x16_shr(one, 4)), wasm_i8x16_swizzle(first_low, wasm_v128_and(one, low_bits))),
        wasm_i8x16_swizzle(second_high, wasm_u8x16_shr(now, 4)));
    /* The third byte behind the first of three or four, the fourth behind that of four: there two continued ones are right. */
    v128_t must = wasm_v128_or(wasm_u8x16_sub_sat(two, wasm_u8x16_const_splat(0xE0 - 0x80)), wasm_u8x16_sub_sat(three, wasm_u8x16_const_splat(0xF0 - 0x80)));
    return wasm_v128_xor(wasm_v128_and(must, wasm_u8x16_const_splat(0x80)), special);
}

u32 is_utf8(const u8 *text, u32 size) {
    const v128_t spaces = wasm_u8x16_const_splat(' '), zero = wasm_u8x16_const_splat(0);
    v128_t before = spaces, errors = zero;
    u32 plain = 1; /* all of `before` */
    u32 at = 0;
    u8 tail[32];
    for (; at + 16 <= size; at += 16) {
        v128_t now = wasm_v128_load(text + at);
        errors = wasm_v128_or(errors, wasm_i8x16_eq(now, zero));
        u32 ascii = !wasm_i8x16_bitmask(now);
        if (!(ascii && plain)) errors = wasm_v128_or(errors, errors_of(now, before));
        plain = ascii, before = now;
    }
    for (u32 i = 0; i < 32; i++) tail[i] = at + i < size ? text[at + i] : ' ';
    for (u32 i = 0; i < 32; i += 16) {
        v128_t now = wasm_v128_load(tail + i);
        errors = wasm_v128_or(errors, wasm_v128_or(wasm_i8x16_eq(now, zero), errors_of(now, before)));
        before = now;
    }
    return !wasm_v128_any_true(errors);
}
