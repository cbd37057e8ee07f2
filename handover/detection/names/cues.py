"""Words around a name in Latin script: titles, cues, and what tells that a row of capitalised words is none."""

import re

from handover.detection.patterns import compile_late


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(" ".join(phrase.split()) for phrase in text.split(","))


TITLES = _words(
    """
    mr mrs ms mx miss dr prof professor sir madam madame mme monsieur herr frau senor senora judge justice
    attorney officer detective sergeant captain senator congressman congresswoman reverend pastor rabbi imam
    sister brother aunt uncle nurse president minister secretary-general chancellor sheikh ayatollah archbishop colonel
    lieutenant admiral commander governor spokesman spokeswoman ambassador vice-president vice-chairman director-general
    striker midfielder defender goalkeeper
    """
)
#: Words that a sentence begins with, or that stand beside names in capitals; they are never part of one.
LEADING = _words(
    """
    xx xxx xxxx north south east west new san santa los las fort mount port cape general i'm i've i'll i'd it's
    that's he's she's what's who's there's let's don't the a an i we you he she it they this that these those my
    our your his her its their who what when where why how and or but if so as at by for from in into of on to
    with without about after before since until while because is are was were be been am do does did has have
    had can could will would shall should may might must not no yes dear hi hello hey thanks thank please sorry
    ok okay also then there here now just only even both all any some monday tuesday wednesday thursday friday
    saturday sunday january february march june july august september october november december jan feb mar apr
    jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun danish swedish norwegian finnish dutch italian
    portuguese polish russian turkish greek japanese korean indian mexican canadian australian irish scottish
    welsh iban swift ssn atm llc usa uk eu cfpb ftc irs fbi regards sincerely signed subject re fw fwd cc bcc
    name address phone email contact attn customer client user bot english french german spanish chinese
    american british european african asian christmas easter internet visa mastercard amex paypal facebook
    google amazon apple microsoft twitter youtube netflix uber ebay walmart equifax experian transunion chase
    wells citibank citi navient ocwen nationstar fargo pnc synchrony santander usaa macy macys seterus suntrust
    prime foreign defence finance interior newsroom iraqi israeli palestinian iranian afghan pakistani bangladeshi australian austrian
    belgian bulgarian croatian czech hungarian romanian serbian slovak ukrainian egyptian brazilian argentine chilean colombian
    thai vietnamese indonesian malaysian filipino nigerian kenyan soccer cricket tennis rugby nhl nba mlb
    barclay barclays barclaycard scottrade ally gmail yahoo hotmail
    curriculum vitae magna summa cum laude
    """
)
#: Behind a row these make it an organisation, a street or a thing.
ORGANISATION = _words(
    """
    inc llc ltd limited corp corporation co company group plc gmbh ag bank banking financial finance mortgage
    mortgages loan loans credit servicing services service insurance university college school academy institute
    hospital clinic center centre foundation association associates partners partnership union trust holdings
    capital management solutions systems technologies technology consulting media press news times post magazine
    records orchestra band church museum library hotel inn restaurant cafe grill store stores shop market
    markets mall motors airlines airport street st avenue ave road rd drive dr lane ln boulevard blvd court ct
    square plaza park river lake mountain island county city town village state republic act law bill code club
    society league team cup award awards prize theatre theater film novel album series festival building tower
    bridge station platinum card cards account collection collections recovery department office agency bureau
    commission committee council
    """
)
#: Companies and cities whose names are those of persons.
COMPANIES = _phrases(
    """
    abercrombie fitch, ally, ben jerry, calvin klein, capital one, charles schwab, ditech, dun bradstreet, ernst
    young, fannie mae, freddie mac, goldman sachs, grant thornton, green tree, harley davidson, j.p. morgan,
    jack daniels, jim beam, john deere, johnnie walker, johns hopkins, jp, jp morgan, kay jewelers, las vegas,
    lloyd, lloyds, los angeles, louis vuitton, mary kay, merrill lynch, morgan stanley, new york, ralph lauren,
    sallie mae, san diego, san francisco, santa fe, tommy hilfiger, victoria secret, victoria's secret, wells
    fargo, hong kong, costa rica, northern ireland, south africa, new zealand, sri lanka, san marino, saint vincent, puerto rico,
    el salvador, sierra leone, burkina faso, saudi arabia, saint lucia, saint kitts, solomon islands, marshall islands, cape verde,
    crystal palace, real madrid, star trek, star wars, berkshire hathaway, oliver wyman, tel aviv, buenos aires, rio de janeiro,
    kuala lumpur, abu dhabi, addis ababa, salt lake, san jose, san juan, santa monica, st. louis, saint petersburg, salomon brothers,
    deutsche bank, credit suisse, arthur andersen, booz allen, johnson controls, rolls royce, mercedes-benz, warner brothers,
    lehman brothers, marks spencer, victoria falls, mount everest, ivory coast, vatican city, guinea bissau
    """
)
#: Behind these stands a name, whatever it looks like.
STRONG_CUE = compile_late(
    r"(?:\b(?:name(?:'s| is|:| was|\?| on (?:the|my) (?:account|card)(?: is|:)?)|named|calls? me|dear|hi|hello|hey|attn:?|c/o|signed"
    r"|sincerely,?|regards,?|yours,?|truly,?|cheers,?|mr\.?|mrs\.?|ms\.?|(?-i:Miss|MISS)|dr\.?|prof\.?)[ ,]*\s{0,6}"
    r"|\b(?:user|contact|customer|client|patient|employee|account holder|signed by|directed by|billed to|ship to|billing address|"
    r"cardholder|beneficiary|applicant|borrower):\s{0,6})\Z",
    re.IGNORECASE,
)
#: Behind these often stands a person, and as often a company.
ACTING_CUE = compile_late(
    r"\b(?:i am|i'm|i’m|this is|(?:spoke|speak|talked|speaking|meet|met|up) (?:with|to)|called|says|said|replied|starring|from:|to:|cc:)"
    r"(?: mr\.?| mrs\.?| ms\.?| dr\.?)?[ ,]{1,2}\Z",
    re.IGNORECASE,
)
WEAK_CUE = compile_late(
    r"(?:\b(?:by|representative|rep|agent|supervisor|manager|officer|attorney|lawyer|husband|wife|son|daughter|mother|father"
    r"|brother|sister|friend|boss|colleague|assistant|kid|child|producer|founders?:|tell|told|asked|ask|with|than|of|as|to|contact|call|met|than early|under|leave me),? |\n>? ?|\A)\Z",
    re.IGNORECASE,
)
LISTED = compile_late(r"(?:, |\b(?:and|or|&) )\Z")
#: What a person does, behind the name.
AFTER_NAME = compile_late(
    r",? (?:said|says|wrote|told|asked|lives?|called|replied|explained|is from|and his|and her|has been|had given|will be|who)\b|:\s|\n\s?[>0-9]|'s (?:account|daughter|son|wife|husband|mother|father|address|phone|email)"
)
#: Only a person says something by a surname alone.
SAYS = compile_late(r",? (?:said|told|added|explained|recalled)\b")
NO_NAME_BEFORE = compile_late(
    r"\b(?:the|in|at|near|via|using|visit|a|an|south|north|east|west|new|san|santa|saint|st\.?|los|las|fort|mount|port|cape|city of|state of|bank of|my|your|our|work for) \Z",
    re.IGNORECASE,
)
