/* Check digits: GB 11643, ISO/IEC 7812, GB 32100, ISO 13616. The twins in Python are compared with these in a test. */
#include "kernel.h"

static u32 today; /* YYYYMMDD */
void set_today(u32 date) { today = date; }

static int digit(u8 c) { return c - '0'; }
static int is_digit(u8 c) { return (u32)(c - '0') < 10; }

int birth_date_holds(const u8 *d) {
    static const u8 days[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    u32 year = digit(d[0]) * 1000 + digit(d[1]) * 100 + digit(d[2]) * 10 + digit(d[3]);
    u32 month = digit(d[4]) * 10 + digit(d[5]), day = digit(d[6]) * 10 + digit(d[7]);
    if (year < 1900 || month < 1 || month > 12 || day < 1 || day > days[month]) return 0;
    if (month == 2 && day == 29 && (year % 4 || (year % 100 == 0 && year % 400))) return 0;
    return year * 10000 + month * 100 + day <= today;
}

/* Seventeen digits and a check character. */
int resident_id_holds(const u8 *n) {
    static const u8 weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    static const u8 last_of_province[] = {0, 5, 3, 7, 6, 4, 5, 0, 3, 0};
    u32 sum = 0, first = n[0] - '0', second = n[1] - '0';
    for (u32 i = 0; i < 17; i++) {
        if (!is_digit(n[i])) return 0;
        sum += weights[i] * digit(n[i]);
    }
    u8 check = n[17] == 'x' ? 'X' : n[17];
    if ("10X98765432"[sum % 11] != check) return 0;
    int province = first == 7 ? second == 1 : first == 5 ? second <= 4 : second >= 1 && second <= last_of_province[first];
    return province && birth_date_holds(n + 6);
}

int luhn_holds(const u8 *n, u32 size) {
    static const u8 doubled[] = {0, 2, 4, 6, 8, 1, 3, 5, 7, 9};
    u32 sum = 0;
    for (u32 i = 0; i < size; i++) {
        u32 d = n[size - 1 - i] - '0';
        sum += i & 1 ? doubled[d] : d;
    }
    return sum % 10 == 0;
}

/* The ranges of bank_card.py. */
int is_card(const u8 *n, u32 size) {
    u32 two = digit(n[0]) * 10 + digit(n[1]), three = two * 10 + digit(n[2]), four = three * 10 + digit(n[3]);
    if (two == 62 && size >= 16 && size <= 19) return 1;
    if (n[0] == '4' && (size == 13 || size == 16 || size == 19)) return 1;
    if (size == 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720))) return 1;
    if (size == 15 && (two == 34 || two == 37)) return 1;
    if (size >= 16 && four >= 3528 && four <= 3589) return 1;
    if (size >= 14 && ((three >= 300 && three <= 305) || two == 36 || two == 38 || two == 39)) return 1;
    if (size >= 16 && (four == 6011 || (three >= 644 && three <= 649) || two == 65)) return 1;
    return (size == 18 || size == 19) && (n[0] == '9' || two == 60 || n[0] == '5');
}

/* Eighteen characters. */
int uscc_holds(const u8 *c) {
    static const u8 alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    u32 sum = 0, weight = 1, value = 0;
    if (!(c[0] == '1' || c[0] == '5' || c[0] == '9' || c[0] == 'A' || c[0] == 'Y' || c[0] == 'N')) return 0;
    if (!((c[1] >= '1' && c[1] <= '5') || c[1] == '9')) return 0;
    for (u32 i = 0; i < 18; i++) {
        if (i > 1 && i < 8 && !is_digit(c[i])) return 0;
        for (value = 0; value < 31 && alphabet[value] != c[i];) value++;
        if (value == 31) return 0;
        if (i < 17) sum += value * weight, weight = weight * 3 % 31;
    }
    return (31 - sum % 31) % 31 == value;
}

static const u8 countries[][4] = {
    "AD\30", "AE\27", "AT\24", "BE\20", "BG\26", "BR\35", "CH\25", "CY\34", "CZ\30", "DE\26", "DK\22", "EE\24", "ES\30", "FI\22",
    "FR\33", "GB\26", "GR\33", "HR\25", "HU\34", "IE\26", "IL\27", "IS\32", "IT\33", "KW\36", "LI\25", "LT\24", "LU\24", "LV\25",
    "MC\33", "MT\37", "NL\22", "NO\17", "PL\34", "PT\31", "QA\35", "RO\30", "SA\30", "SE\30", "SI\23", "SK\30", "SM\33", "TR\32", "UA\35",
};

/* The length of a country's account numbers; 0 for none. */
u32 iban_length(u32 first, u32 second) {
    first &= ~32u, second &= ~32u;
    for (u32 i = 0; i < sizeof countries / 4; i++)
        if (countries[i][0] == first && countries[i][1] == second) return countries[i][2];
    return 0;
}

int iban_holds(const u8 *n, u32 size) {
    u32 rest = 0;
    for (u32 i = 0; i < size; i++) {
        u8 c = n[(i + 4) % size];
        u32 value = is_digit(c) ? digit(c) : (c & ~32) - 'A' + 10;
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return rest == 1;
}
