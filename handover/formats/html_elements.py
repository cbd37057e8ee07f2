"""Which elements and attributes of HTML cut a text, and which are written again."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = frozenset({"br", "hr", "img", "input", "wbr", "col"})
#: What cuts a text in two for its reader; any other element, known or not, stands within the line.
BLOCKS = _words(
    """address article aside blockquote body br button caption center col colgroup dd details dialog dir div dl dt fieldset figcaption
    figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html input legend li main menu nav ol optgroup option p pre search
    section select summary table tbody td textarea tfoot th thead title tr ul xmp plaintext"""
)
#: Blocks that are written as they are; others as plain `div`.
KEPT_BLOCKS = BLOCKS - {"dialog", "dir", "form", "frameset", "plaintext", "search", "xmp"}
AS_DIV = BLOCKS - KEPT_BLOCKS
KEPT_INLINE = _words(
    """a abbr b bdi bdo big cite code data del dfn em font i img ins kbd label mark nobr q s samp small span strike strong sub sup time tt u
    var wbr"""
)
KEPT = KEPT_BLOCKS | KEPT_INLINE
#: Attributes that a reader sees or that give a table its form.
KEPT_ATTRIBUTES = _words(
    """abbr alt aria-label checked colspan content datetime dir disabled label lang open placeholder rowspan selected span start summary
    title type value"""
)
