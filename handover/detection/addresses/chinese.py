"""Postal addresses in Chinese: from the region down to house and room, or from a street with a number.

A region alone is no address, nor is a region with an institution (北京市海淀区人民法院); it needs a town, village, street or
building below the district, and below a mere city also a number.
"""

from collections.abc import Iterator

from handover.detection.addresses.regions import Regions, gazetteer, regions_at
from handover.detection.patterns import compile_late
from handover.detection.spans import Span

_NUM = "(?:[0-9]{1,5}[A-Za-z]?|[A-Za-z][0-9]{0,4}|[一二三四五六七八九十百零〇两]{1,4})"
_UNIT = (
    rf"(?:(?<=[楼栋幢号元层室])[东南西北中](?:单元|户(?![型口外籍]))|[甲乙丙丁附新]?第?{_NUM}(?:[-~至、/之]{_NUM}){{0,3}}"
    r"(?:号楼|号院|号线|号|弄|幢|栋|座(?!造)|单元|楼|层|室|支弄|巷|组|队|门|梯|房|铺|区|期|排|段|街坊|街|路|村|#|F|f)(?![民市期]))"
)
#: Where a name below the district ends.
_LOCAL = (
    "(?:大道|大街|街道|胡同|村民委员会|村委会|村民小组|居委会|社区|小区|新村|花园|公寓|家园|花苑|大厦|大楼|广场|工业区|产业园|工业园"
    "|科技园|创业园|物流园|园区|开发区|度假区|风景区|市场|商城|农贸城|农场|林场|国道|省道|县道|公路|步行街|交叉口|交汇处|路口"
    "|路(?![上线过透费人子程])|街(?!头)|巷|弄|村(?![民委务镇])|屯|寨|镇(?![政党])|乡(?![镇政村、])|苏木|苑|庄(?![严重])|里(?![的面边])|坊|墟|圩)"
)
#: What stands in no name of a place; a sentence that goes on does.
_NAME = "(?:(?![我你他她您它的了吗呢哪把被也还请吧]|就[是在要会能可有没不说算]|都[是在有没不要会能可很说被把已得去来给想让叫喜知还用对和跟]|谢[谢您你]|关于|加强|推行|举行|报道|政府|[党县市省]委|记者|以及|相距)[一-鿿A-Za-z0-9·()])"
_PART = rf"(?:[-_ ]?|[,，] ?(?=[0-9A-Za-z]|{_NAME}{{1,8}}?(?:路|街|道|镇|乡|村|小区|大厦)))(?:{_UNIT}|{_NAME}{{1,6}}?{_UNIT}|[向往]?[东南西北]{{1,2}}[行侧]?约?[0-9]{{1,4}}米|{_NAME}{{1,9}}?{_LOCAL}(?:[东南西北中]{{1,2}}(?:段|侧|头|端|面|边)?|上|下)?)"
#: The numbers that it may end with, without a word for what they are.
_ROOM = "(?:(?:(?!(?:19|20)[0-9]{2}-)[0-9]{1,5}(?:-[0-9]{1,5}){1,3}|[0-9]{2,5})(?![0-9A-Za-z年月日.%元万亿人名个]))"
_DETAIL = compile_late(rf"(?:{_PART})+{_ROOM}?")
_UNITS = compile_late(_UNIT)
_WHOLE_REST = compile_late(rf"(?:{_NAME}|[-_#,，、~/ ]){{0,32}}(?=[\0\n]|\Z)")
_WHOLE_BEFORE = compile_late(rf"(?:{_NAME}|[-_ ]){{0,20}}")
_PIECES = compile_late("[,，、]*[^,，、]+")
_IN_ADDRESS = compile_late("[0-9A-Za-z路街巷弄村镇乡道区厦园楼号室幢栋苑城座里庄旁边内口店]")
#: Who or what is there: the name behind a house's number, when a sign follows.
_THERE = compile_late(
    rf"(?![有是开在为发举召去等将与和建设出])(?:{_NAME}){{2,18}}?(?:公司|集团|厂|店|中心|学校|中学|小学|学院|医院|市场|支行|营业厅|超市|门市部?|酒店|宾馆|大楼|基地|物业|门卫|传达室|门面|对面|旁边?|隔壁|楼下|附近)(?=[，,。；;！!（(\0\n]|\Z)"
)
#: What makes a building's number more than that of a street or a plan.
_ROOM_BEHIND = compile_late("(?:栋|幢|号楼).*[0-9一二三四五六七八九十]")
#: Triggers: every address in Chinese has one of these.
_TRIGGER = compile_late("[路街巷弄村镇乡道区厦园楼号室幢栋寓苑城座里庄场屯组县湾府庭居轩阁邸郡院岸港]")
#: What a region's name stands before without being an address.
_INSTITUTION = compile_late(
    r"(?:政府|法院|检察院|委员会|委|局|厅|处|公司|医院|大学|学院|中学|小学|银行|分行|支行|协会|人大|政协|人)\Z"
)
_BARE_REST = compile_late(r"[^,，、]{3,20}\Z")
#: Behind these a region and whatever follows up to the next sign is an address.
_DELIVERED = compile_late("(?:寄[到至往]|送[到至往]|发[到至往]|搬[到至]|住在?|家住|现住)\\Z")
_TO_THE_SIGN = compile_late(rf"(?:{_NAME}|[-_#~/ ]){{3,28}}(?=[，,。；;！!\0\n]|\Z)")
#: Addresses of Hong Kong, Macau and Taiwan: the characters of houses, streets and regions in which they differ are read as those that
#: everything here is written in. Each is one for one, so that positions stay.
TRADITIONAL = (
    "號樓廈區縣鎮鄉園莊廣場門層單組隊鋪處棟業產創開發風農貿國匯邨灣東華龍寶麗興銀環臺鐵馬車陽陰島嶼鳳雲嶺嶽溫韓錦貴爾達聯會觀頭間舊長關愛樂濱進運連遼遠豐賓貢賢賽贊趙輝輪邊鄭鄰雙離電順頂館驛魚鹽麥黃點齊後樹橋榮漢潤澤濟瀘營爐獅瑪禮窪節範紅經綠維綿織羅義聖蓮葉蘆蘇藍蘭衛許軍遷遙郵鋼鐘閣靈靜駐鶴鷹",
    "号楼厦区县镇乡园庄广场门层单组队铺处栋业产创开发风农贸国汇村湾东华龙宝丽兴银环台铁马车阳阴岛屿凤云岭岳温韩锦贵尔达联会观头间旧长关爱乐滨进运连辽远丰宾贡贤赛赞赵辉轮边郑邻双离电顺顶馆驿鱼盐麦黄点齐后树桥荣汉润泽济泸营炉狮玛礼洼节范红经绿维绵织罗义圣莲叶芦苏蓝兰卫许军迁遥邮钢钟阁灵静驻鹤鹰",
)
_SIMPLIFIED = str.maketrans(*TRADITIONAL)
_HAS_TRADITIONAL = compile_late(f"[{TRADITIONAL[0]}]")
_STOP = compile_late('[\0\n。；;！!？?“”"：:\t《》<>【】]')
_REACH = 64
#: Above that of a known name: the name of a person inside an address (a shop, a street) belongs to it.
_CONFIDENCE = 0.84

_STREET = "(?:大道|大街|路|街|道|巷|弄|里|胡同|村|镇|乡|小区|新村|花园|公寓|家园|苑|广场|大厦|中心|山庄|创业园|工业园|工业区|市场|商贸城|商城|珠宝城|轻纺城|汽车城|五金城)"
#: From the street's last character to the end; what lies before is found by looking backwards.
_TAIL = compile_late(
    rf"{_STREET}(?:[东南西北中]|[一-鿿]{{0,8}}(?:小区|新村|花园|公寓|家园|苑|广场|大厦|家属[院楼区]|宿舍|大院))?[\s_]?(?:{_UNIT}[,， _]?(?:[一-鿿]{{2,8}}(?:小区|花园|公寓|家园|苑|大厦|广场))?)+{_ROOM}?"
)
#: A street with a number alone, where the phrase ends behind it: 永茂西路329.
_BARE = compile_late(
    rf"(?<![公铁线道上一思出马网电套速])(?:大道|路|街)[0-9]{{1,5}}(?:(?=[\0\n，,。；;！!、）)\s]|\Z)|(?:{_NAME}{{2,8}}?(?:社区|小区|花园|公寓|大厦|产业园|工业园)){_UNIT}?(?:[0-9]{{2,5}}(?![0-9A-Za-z年月日.%元]))?)"
)
_NUMERAL = compile_late("[0-9A-Za-z一二三四五六七八九十百零〇两]")
#: A building and a number in it, whatever it is called: 嘉华春晓42幢902.
_BUILDING = compile_late(
    rf"(?<![0-9第]){_NUM}(?:栋|幢|号楼)(?:[-，, ]?{_NUM}(?:单元|号|室|楼|层|门|梯)){{0,3}}(?:(?<=[栋幢楼元层号])-?[0-9]{{2,5}}(?![0-9A-Za-z年月日.%元]))?"
)
#: Building, (entrance,) room: 东方花城9-3-1665, 万家花园127-1513.
_DASHED = compile_late(
    "(?:(?<=[园区寓苑庄城府湾里村院庭居轩阁邸郡岸港天路弄])(?!(?:19|20)[0-9]{2}-)[0-9]{1,4}-[0-9]{1,3}-[0-9]{2,5}"
    "|(?:(?<=[园寓苑庭居轩阁邸郡])|(?<=小区)|(?<=山庄))[0-9]{1,4}-[0-9]{2,5})(?![0-9A-Za-z.%-])"
)
_NAME_ONLY = compile_late(r"(?:[一-鿿]{1,6}?[市区县镇])*[一-鿿]{1,5}\Z")
_LEADING = compile_late(
    r".*(?:住在|搬到|搬至|寄到|寄至|寄往|送到|送至|位于|地址[是为]?|住址[是为]?|现居|家住|现住|住|请送|请寄|请发|收货|发往|反映|要求|客户|用户|业主|到|在|至|从|是|为|改成|改为)"
)
#: Two names below the district make a line an address also without a region: 灵溪镇上庄小区.
_LOCAL_LINE = compile_late(
    rf"(?:(?<=[\0\n])|\A){_NAME}{{1,7}}?(?:镇|乡|街道|路|街|大道|村|社区|小区|工业区){_NAME}{{1,10}}?(?:{_LOCAL}|{_UNIT}|店|厂|公司|站|院|学|所|局|行|馆|旁|边|侧|面|口)(?:{_NAME}|[-_]){{0,12}}(?=[\0\n]|\Z)"
)
#: And so does a building with its number: 海亮水暖城896栋.
_BUILDING_LINE = compile_late(
    rf"(?:(?<=[\0\n])|\A){_NAME}{{2,14}}?{_NUM}(?:幢|栋|号楼|单元|座|(?<=[0-9])室|(?<=[0-9])楼)(?:{_NAME}|[-_]){{0,16}}(?=[\0\n]|\Z)"
)
#: Behind the word 地址 a place in the form of people needs no house number; it ends where the sentence goes on.
_AFTER_CUE = compile_late(
    r"(?:地址|住址)(?:[您你]?记(?:好|一下)了?|就?是|为|在|位于|[:：，, ]){0,4}"
    r"((?![您你我它他她这那哪呢吗不没请有的多也都和什怎])[一-鿿0-9A-Za-z][一-鿿0-9A-Za-z（()）、—~·\-]{2,60}?)"
    r"(?=[，。；,;!！?？\s\0\"”]|\Z|(?:呢|吗|哦|呀|啊|哈|的话)|(?:电话|联系|周边|附近的|因为|然后|评分|人均|营业|门票))"
)
_ASKS = compile_late("哪|什么|怎么")
_PLACE = compile_late(r"[省市区县镇乡村路街巷弄胡同号院楼座层站口桥园里广场大厦米处侧旁交叉苑]")


def find(text: str) -> Iterator[Span]:
    """Addresses in folded text."""
    if _HAS_TRADITIONAL.search(text):
        text = text.translate(_SIMPLIFIED)
    done = 0
    for trigger in _TRIGGER.finditer(text):
        if trigger.start() < done:
            continue
        low, high = _bounds(text, trigger.start(), done)
        found = _from_region(text, low, high) or _from_street(text, low, high)
        if found:
            done = found[1]
            yield Span(*found, "address", _CONFIDENCE)
        else:
            done = high
    for line in (_LOCAL_LINE, _BUILDING_LINE):
        for match in line.finditer(text):
            if district(match[0]) != match[0]:
                yield Span(match.start(), match.end(), "address", _CONFIDENCE)
    if "址" in text:
        for match in _AFTER_CUE.finditer(text):
            if _PLACE.search(match[1]) and not _ASKS.search(match[1]) and district(match[1]) != match[1]:
                yield Span(match.start(1), match.end(1), "address", _CONFIDENCE)


def _bounds(text: str, at: int, low: int) -> tuple[int, int]:
    """The stretch around a trigger that no punctuation ends."""
    low = max(low, at - _REACH)
    for stop in _STOP.finditer(text, low, at):
        low = stop.end()
    stop_after = _STOP.search(text, at, at + _REACH)
    return low, stop_after.start() if stop_after else min(len(text), at + _REACH)


def _from_region(text: str, low: int, high: int) -> tuple[int, int] | None:
    heads, done = gazetteer().heads, low
    for start in range(low, high - 1):
        if text[start : start + 2] in heads and start >= done and (regions := regions_at(text, start, high)):
            end = _detail(text, start, regions, high)
            if end:
                return start, end
            done = regions.end
    return None


def _detail(text: str, start: int, regions: Regions, high: int) -> int:
    """Where the address ends that begins with these regions; 0 when it says no more than a region."""
    if regions.levels > 1 and regions.full and _DELIVERED.search(text, max(0, start - 4), start):
        whole = _TO_THE_SIGN.match(text, regions.end, high)
        if whole and not _INSTITUTION.search(whole[0]):
            return whole.end()
    at = regions.end + (text[regions.end : regions.end + 1] in {" ", "-", "_", ",", "，", "·"})
    detail = _DETAIL.match(text, at, high)
    line_end = _line_end(text, start, regions.end)
    if detail is None:
        rest = text[regions.end : line_end]
        named = regions.levels > 1 and regions.full and _BARE_REST.match(rest) and not _INSTITUTION.search(rest)
        return line_end if named else 0
    if (regions.district and regions.full) or _UNITS.search(detail[0]) or line_end:
        return max(line_end, detail.end())
    return 0


def _line_end(text: str, start: int, position: int) -> int:
    """The end of a line that is all address, when `start` is where it begins and no sentence follows; else 0."""
    if start and text[start - 1] not in "\0\n":
        return 0
    rest = _WHOLE_REST.match(text, position)
    if rest is None:
        return 0
    end = position
    for piece in _PIECES.finditer(text, position, rest.end()):
        if piece[0][0] in ",，、" and not _IN_ADDRESS.search(piece[0]):
            break
        end = piece.end()
    return end


def _from_street(text: str, low: int, high: int) -> tuple[int, int] | None:
    if not _NUMERAL.search(text, low, high):
        return None
    for pattern, least in ((_TAIL, 1), (_BARE, 1), (_BUILDING, 2), (_DASHED, 3)):
        for match in pattern.finditer(text, low, high):
            start = _start(text, low, match.start())
            if match.start() - start >= least and (pattern is not _BUILDING or _ROOM_BEHIND.search(match[0])):
                end = match.start() + len(match[0].rstrip(" ,，_"))
                more = _DETAIL.match(text, end, high)
                end = more.end() if more and _UNITS.search(more[0]) else end
                there = _THERE.match(text, end, high)
                end = there.end() if there else end
                start = _line_start(text, low, start)
                return start, max(end, _line_end(text, start, end))
    return None


def _line_start(text: str, low: int, start: int) -> int:
    """Where a line begins that is all address, when it is short up to `start` and no sentence; else `start`."""
    if low and text[low - 1] not in "\0\n":
        return start
    before = text[low:start]
    return low if _WHOLE_BEFORE.fullmatch(before) and not _LEADING.match(before) else start


def _start(text: str, low: int, street: int) -> int:
    """Where an address begins that names no region: at the street's name."""
    window = text[low:street]
    window = window[max(window.rfind(mark) for mark in "，、,(（ ") + 1 :]
    leading = _LEADING.match(window)
    # A verb before the address is cut off, unless what remains is nothing (the street itself may contain 到).
    if leading and leading.end() < len(window):
        window = window[leading.end() :]
    name = _NAME_ONLY.search(window)
    return street - len(window) + name.start() if name else street


def district(value: str) -> str:
    """Province, city and district of a mainland address; empty when none is written."""
    text = value.strip()
    regions = regions_at(text.translate(_SIMPLIFIED), 0, len(text))
    return text[: regions.end] if regions else ""


_HAS_DETAIL = compile_late(rf"\d|{_STREET}.{{0,12}}(?:号|弄|室|幢|栋)")


def has_detail(value: str) -> bool:
    """True when a value of an address column says more than city and district."""
    return _HAS_DETAIL.search(value) is not None
