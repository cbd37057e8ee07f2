/* Freestanding: no library, no allocation; all buffers are the caller's. Built by scripts/kernel/build.sh. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* The kinds that are decided here, in the order of screening.KINDS. */
enum { RESIDENT_ID, MOBILE, EMAIL, BANK_CARD, IBAN, USCC, PERSON_NAME, ADDRESS, BIRTH_DATE, TITLED_NAME };

/* checks.c: the check digits of handover/detection/checks.py over bytes of the right length. */
int resident_id_holds(const u8 *number);
int luhn_holds(const u8 *number, u32 size);
int is_card(const u8 *number, u32 size);
int uscc_holds(const u8 *code);
u32 iban_length(u32 first, u32 second);
int iban_holds(const u8 *number, u32 size);
int birth_date_holds(const u8 *eight_digits);

/* known.c: what handover/detection/known.py knows. */
u32 known_name(const u8 *text, u32 room);
int known_word(const u8 *word, u32 size);
int known_number(const u8 *number, u32 size);

/* lexicon.c: word lists, in the order of screening.LISTS. */
enum { WORDS, COMPOUNDS, TITLES, ORDINARY, GIVEN, PLAIN, PARTICLES, STREETS, STREET_ENDS, HEADS, REGIONS, SHORT_DISTRICTS, NAME_EDGES, LISTS };
u64 hash(const u8 *text, u32 size);
enum { NONE = 0xFFFFFFFF };
/* 0 when a list does not hold the text, otherwise 1 and what was noted with it. */
u32 listed(u32 list, const u8 *text, u32 size);

/* screen.c */
enum { WITH_NAMES = 1, WITH_NUMBERS = 2, REPLACED = 4 }; /* what is looked for, and whether replacements are settled: there is nothing in one */
int is_replacement(const u8 *value, u32 size);

/* utf8.c */
u32 is_utf8(const u8 *text, u32 size);

typedef struct { const u8 *text; u32 size; } Label; /* a kind's name */
enum { KEEP, MARK, MAKE_TOKEN, YEAR, DISTRICT };
enum { TOKEN = 26, DIGEST = 16 };
enum { DIGESTED, BLANK, UNDIGESTED };
u32 district(const u8 *address, u32 size);
