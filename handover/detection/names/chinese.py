"""Chinese names in running text by what stands around them: a cue before, a title or a verb behind, or a list of names.

A surname and one or two characters alone are no name here; that needs the model (`recogniser`) or a column that holds it. A surname
alone is one before a title (王先生, 李主任): the surname is the hit, and the title stays.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from handover.detection.addresses.regions import gazetteer
from handover.detection.names.surnames import COMPOUND_SURNAMES, SURNAMES
from handover.detection.patterns import compile_late
from handover.detection.spans import Span

#: Characters that no given name holds, but that follow a short one.
FUNCTION = "的了在是有和与及就都也被把从向对说称让给等这那我你他她它您们将曾已又并但或且为于到由吗呢吧啊呀么个会要能可没不很更最各每年月日时元号岁份次"
_GIVEN = f"(?![{FUNCTION}])[一-鿿㐀-䶿]"
_SURNAME = f"(?:{'|'.join(sorted(COMPOUND_SURNAMES))}|[{''.join(sorted(SURNAMES))}])"
TITLE = (
    "(?:先生|女士|小姐|太太|同志|老师|医生|大夫|护士|律师|教授|博士|总经理|副总|经理|主任|主管|组长|师傅|阿姨|董事|总监|院长|校长|所长|处长|科长|部长"
    "|局长|厅长|书记|市长|省长|县长|镇长|村长|主席|总理|总统|委员|代表|记者|警官|法官|检察官|工程师|设计师|会计|同学|选手|教练|将军|队长|班长|站长|店长|院士|顾问|客户|用户|业主|患者"
    "|董事长|外长|行长|馆长|会长|团长|政委|司令|大使|总裁|秘书长|委员长|研究员|老板|大姐|大妈|大爷|大娘|大叔|奶奶|爷爷|叔叔"
    "|副教授|副主席|副主任|副总裁|副局长|副市长|副书记|副院长|副校长|副部长|副处长|副所长|副总理|副会长)"
)
#: Titles that a surname alone may stand before, wherever it does: no word ends with its character there.
_POLITE = (
    "先生|女士|小姐|太太|老师|医生|大夫|教授|律师(?!事务)|师傅|阿姨|大姐|大妈|大爷|大娘|大叔|奶奶|爷爷|叔叔|警官|法官"
)
#: And where a sentence or a part of one begins with the surname.
_OFFICE = (
    "总经理|副总|经理|主任|主管|组长|董事长|总监|院长|校长|所长|处长|科长|部长|局长|厅长|书记|市长|省长|县长|镇长|村长|主席|总理|队长|会长|行长|馆长|外长"
    "|检察官|工程师|设计师|将军|站长|店长|院士|博士|老板|总裁|秘书长|委员长|副教授|副主席|副主任|副总裁|副局长|副市长|副书记|副院长|副校长|副部长|副处长|副所长|副总理|副会长"
)
#: Each way begins with a character of its own, so that `re` looks for those first: ten times as fast as by optional signs.
_SEX = "(?:男|女)(?:[，,、。；; )）]|$)"
_VERB = (
    "说[，,：:。]|表示|认为|指出|介绍说?|告诉|称[，,：:]|强调|透露|回忆|坦言|来电|致电|打来电话|投诉|反映|反馈|要求|签收|签字"
    "|报道|摄|电话|手机|微信|联系方式|身份证|住址|地址|本人|家住|现住|出生|毕业于|担任"
    f"|男(?:[，,、。；; )）]|$)|女(?:[，,、。；; )）]|$)|{'|'.join(f'{sign}[，,：: ]?{_SEX}' for sign in ('（', '[(]'))}"
    f"|{'|'.join(f'{sign}{_SEX}' for sign in '，,：: ')}|（[0-9]{{2,4}}|[(][0-9]{{2,4}}|:1[3-9][0-9]{{9}}|：1[3-9][0-9]{{9}}|1[3-9][0-9]{{9}}"
)
#: Cues that introduce a name whatever it looks like.
_CUE = compile_late(
    "(?:姓名|名字|联系人|联络人|收件人|收货人|寄件人|发件人|经办人|负责人|法定代表人|法人代表|法人|申请人|投诉人|举报人|报案人|当事人|被告人?|原告人?|委托人|代理人|受托人"
    "|签收人|接收人|监护人|持卡人|户名|被保险人|投保人|受益人|借款人|担保人|承租人|出租人|业主(?<!企业主)|患者|病人|学生|员工|客户|用户|乘客|旅客|司机|顾客|会员|家长|我叫|我是|叫做|名叫|他叫|她叫|记者|通讯员|本人|致电|联系|签名|签字|审核|批准|复核|制单)"
    '(?:姓名|名称|名字|信息)?(?:是|为|叫)?[:： \t（(“"]{0,3}'
)
#: What a cue ends with where it surely introduces what follows: 姓名：高兴 is a name, 联系商务 is none.
_INTRODUCES = '是为叫做:： \t（(“"'
#: Only a person has these behind it.
_PERSON_BEHIND = compile_late(
    rf"(?:{TITLE}|来电|致电|打来电话|电话|手机|签收|签字|[（(]?[，,：: ]?(?:男|女)[，,、。；; )）])"
)
_NAME = compile_late(rf"{_SURNAME}(?:{_GIVEN}){{1,2}}")
_TITLE_OR_VERB = compile_late(f"{TITLE[3:-1]}|{_VERB}")
_NO_HAN = compile_late("[^一-鿿]|\\Z")
_AFTER_SHORT = compile_late(
    rf"[{FUNCTION}]|(?:电话|手机|微信|身份证|住|女|男|反映|投诉|来电|要求|先生|女士|签收|已经|需要|本人)"
)
_LIST = compile_late(
    rf"(?<![一-鿿])(?:{_SURNAME}(?:{_GIVEN}){{1,2}}[、， ]){{1,}}(?:{_SURNAME}(?:{_GIVEN}){{1,2}})(?=[、，。；;等\s\0]|\Z|[和与及])"
)
_ITEM = compile_late("[一-鿿]+")
#: Between the parts of a name; and those around one, where no space or sign ends it.
_DOT = compile_late("[·•・](?<=[一-鿿].)(?=[一-鿿])")
_HAN_BEFORE = compile_late(r"[一-鿿]+\Z")
_PARTS_BEHIND = compile_late(f"(?:(?:(?![{FUNCTION}])[一-鿿]){{1,8}}[·•・]){{0,3}}([一-鿿]{{1,12}})")
_LEAD, _LONGEST_PART = 12, 7
_NOT_FIRST = compile_late(
    f"{TITLE}|首相|王储|国王|主帅|前锋|后卫|中场|门将|导演|明星|夫人|姓名|[{FUNCTION}国人员家队族党籍手村县市省长官叫住]"
)
_NOT_LAST = compile_late(f"{TITLE}|夫妇|夫人|[今昨明近]日|[今昨明]天|[{FUNCTION}住获当以]")
#: What names of other languages are written with.
_TRANSCRIBES = frozenset(
    "阿埃艾安奥巴贝本比别宾伯博布不才查茨川次达戴丹道德登迪丁杜顿多厄恩尔法菲费芬佛夫弗福盖甘冈高戈格古哈海汉豪赫黑亨胡华霍基吉加杰金卡凯坎康考柯科可克肯库奎拉莱赖兰朗劳勒雷里力利莉立丽莲列林琳伦隆娄"
    "卢鲁路露罗洛略吕马玛麦曼芒梅门蒙米密敏摩莫默姆穆买木纳娜奈南内尼妮涅宁纽努诺欧帕派潘庞佩彭蓬皮平珀普奇齐契恰乔切琼丘然热仁荣茹瑞若撒萨赛桑瑟森沙莎珊尚绍舍申圣史士舒斯丝思司苏索塔泰坦汤唐特滕提廷图吐"
    "托瓦娃万旺威韦维翁沃乌吾武西希锡夏香肖谢辛休逊许雅亚娅扬耶叶伊依因英尤于约扎詹珍芝朱兹孜宗佐让冯什都黎迈拜功坚来地居合再祖汗"
)
#: What an office or a group ends with, not a name: 党委副(书记), 曾任(所长), 向全体(代表).
_NO_GIVEN = frozenset("次经任委部副室科处所员件体家原前总兼")
#: Surnames that are far more often a word by themselves.
_ALSO_WORDS = frozenset("由曾和于向应原时全查满明计党融宿祝贺许文包安高连从能那相成车方经平")
#: And before an office one that says who holds it: 任财务总监.
_HOLDS = "任"
#: No surname by itself before a title: 铁路局长, 音乐老师, 统战部长, 首席法官.
_NOT_ALONE = _ALSO_WORDS - {"高", "许", "文", "安", "方", "于"} | frozenset(
    "席任路乐战房商关管家后游单利石支容易古越化花谷卓班别"
)
_OF_REGIONS = "省市县镇村"
#: No word of two characters ends with a surname behind one of these: 找到张主席, 处里的范处长.
_BEFORE_SURNAME = "的为当到听被据随陪见送"
_ALONE = compile_late(f"({_POLITE})|(?:{_OFFICE})")
#: All of both, for the kernel.
BEHIND_SURNAME = frozenset(f"{_POLITE}|{_OFFICE}".replace("(?!事务)", "").split("|"))
_TITLES = frozenset(TITLE[3:-1].split("|"))
#: Places; a given name of two characters may well end like one (建国, 金山).
_PLACES, _IN_PLACES = "省市区县镇乡村路街", "山河江湖海岛州城港湾国族语"
_PLACE_END = compile_late(rf"[{_PLACES}]\Z|\A..?(?<=[{_IN_PLACES}])\Z")
#: Where a name begins or ends with one of these, more than its neighbours decides whether it is one.
NO_FIRST, NO_LAST = _ALSO_WORDS | {_HOLDS}, frozenset({*_NO_GIVEN, *_PLACES, *_IN_PLACES})


@cache
def words() -> frozenset[str]:
    """Words of the language that begin with the character of a surname."""
    text = (files("handover.detection.names") / "chinese_words.txt").read_text("utf-8")
    return frozenset(text.splitlines())


def find(text: str) -> Iterator[Span]:
    """Names in folded text."""
    for cue in _CUE.finditer(text):
        yield from _at(text, cue.end(), 0.8, bare=True)
    for title in _TITLE_OR_VERB.finditer(text):
        yield from _before(text, title.start())
        yield from _at(text, title.end(), 0.7, bare=False)
    for title in _ALONE.finditer(text):
        yield from _surname_before(text, title.start(), polite=title[1] is not None)
    if _DOT.search(text):
        yield from _dotted(text)
    for row in _LIST.finditer(text):
        items = list(_ITEM.finditer(text, *row.span()))
        if any(len(m[0]) > 2 for m in items) and not any(m[0] in words() or _PLACE_END.search(m[0]) for m in items):
            for item in items:
                yield Span(item.start(), item.end(), "person_name", 0.6)


def _dotted(text: str) -> Iterator[Span]:
    """Names with dots between their parts, in the characters that transcribe foreign ones: 买买提·吐尔逊, 阿·比尔金."""
    done = 0
    for dot in _DOT.finditer(text):
        at = dot.start()
        if at < done:
            continue
        run = _HAN_BEFORE.search(text, max(0, at - _LEAD), at)
        rest = _PARTS_BEHIND.match(text, dot.end())
        if run is None or rest is None:
            continue
        start = max(
            (cut.end() for cut in _NOT_FIRST.finditer(text, run.start(), at) if cut.end() < at), default=run.start()
        )
        last = _NOT_LAST.search(text, rest.start(1) + 1, rest.end())
        done = last.start() if last else rest.end()
        parts = _DOT.split(text[start:done])
        strange = sum(character not in _TRANSCRIBES for part in parts for character in part)
        if max(map(len, parts)) <= _LONGEST_PART and strange * 5 <= sum(map(len, parts)) and not _is_region(parts):
            yield Span(start, done, "person_name", 0.83)


def _is_region(parts: list[str]) -> bool:
    return any(part in gazetteer().names or part in gazetteer().short_districts for part in parts)


def _at(text: str, start: int, confidence: float, *, bare: bool) -> Iterator[Span]:
    """The name that begins at `start`, if one does and ends where a word may end."""
    match = _NAME.match(text, start)
    if match is None:
        return
    introduced = bare and text[start - 1] in _INTRODUCES
    for end in range(match.end(), start + 1, -1):
        name = text[start:end]
        ends = _NO_HAN.match(text, end) or _AFTER_SHORT.match(text, end) or _TITLE_OR_VERB.match(text, end)
        if ends and len(name) > 1 and _NAME.fullmatch(name):
            doubtful = name[0] in _ALSO_WORDS or name[-1] in _NO_GIVEN or _PLACE_END.search(name)
            plausible = name not in words() and (introduced or not doubtful or (bare and name[0] not in _ALSO_WORDS))
            if plausible or (introduced and _NO_HAN.match(text, end)):
                yield Span(start, end, "person_name", confidence)
            return


def _before(text: str, end: int) -> Iterator[Span]:
    """The name that ends at `end`, behind a boundary or a word that stands before persons."""
    for length in (3, 2, 4):
        start = end - length
        if start < 0 or not _NAME.fullmatch(text, start, end):
            continue
        name = text[start:end]
        lead = text[max(0, start - 6) : start]
        apart = (not lead or _NO_HAN.match(lead[-1])) and _PERSON_BEHIND.match(text, end)
        if (
            name in words()
            or name[1:] in _TITLES
            or (name[0] == _HOLDS and _OFFICE_BEHIND.match(text, end))
            or _FIRM_BEHIND.match(text, end)
            or name[-1] in _NO_GIVEN
            or (not apart and (_PLACE_END.search(name) or name[0] in _ALSO_WORDS))
        ):
            continue
        if _is_apart(lead):
            yield Span(start, end, "person_name", 0.75)
            return


def _surname_before(text: str, end: int, *, polite: bool) -> Iterator[Span]:
    """The surname that ends at `end`, when no longer name does."""
    start = end - (2 if text[max(0, end - 2) : end] in COMPOUND_SURNAMES else 1)
    surname = text[max(0, start) : end]
    if not surname or (surname not in COMPOUND_SURNAMES and (surname not in SURNAMES or surname in _NOT_ALONE)):
        return
    for length in (2, 3, 4):
        name = text[max(0, end - length) : end]
        if (
            len(surname) < len(name) == length
            and _NAME.fullmatch(name)
            and name[0] not in _ALSO_WORDS
            and name not in words()
        ):
            return
    lead = text[max(0, start - 6) : start]
    if lead and text[end] in _OF_REGIONS and not _NO_HAN.match(lead[-1]):  # 长沙市长沙县
        return
    if (polite and surname not in _ALSO_WORDS) or _is_apart(lead) or lead[-1] in _BEFORE_SURNAME:
        yield Span(start, end, "person_name", 0.7)


def _is_apart(lead: str) -> bool:
    """Whether a name may begin behind this."""
    return (
        not lead
        or _NO_HAN.match(lead[-1]) is not None
        or lead[-1] in "和与跟同由请找给向对让叫问替约是知"
        or _ENDS_WITH_CUE.search(lead) is not None
    )


_OFFICE_BEHIND = compile_late(_OFFICE)
#: A firm that bears a name: 石杜律师事务所, 黄岩会计师事务所.
_FIRM_BEHIND = compile_late("(?:律师|会计师?)(?:事务|行|楼)")
_ENDS_WITH_CUE = compile_late(rf"(?:{TITLE}|联系|通知|客户|用户|业主)\Z")
