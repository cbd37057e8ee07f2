"""Names of natural persons: which values of a column are names, and names in running text.

In running text rules find them by lists and context (`names`), `known` those that a column holds, and an optional model the rest
(`recogniser`). Necessary for a hit here: a capital letter or a cue in Latin script, or a Chinese surname beside a cue, a title,
a verb or another name.
"""

import re
from collections.abc import Iterator, Sequence

from handover.detection.names import chinese, western
from handover.detection.names.surnames import COMPOUND_SURNAMES, SURNAMES
from handover.detection.patterns import compile_late
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "person_name", "L3", 5, "whole"

#: Words that begin with a surname's character; a name column would not hold them, a product column does.
_WORDS = frozenset(
    ("高兴", "方便", "安全", "时间", "平安", "明天", "全部", "成功", "平台", "华为", "和平", "金额", "文件", "方案", "石油", "马上", "江苏", "云南", "海南", "河南", "湖南", "安徽", "温州", "常州", "广州",
     "白色", "黄色", "蓝色", "向前", "关于", "单位", "解决", "费用", "管理", "房屋", "应用", "计划", "车辆", "项目", "全国", "连接", "时候", "商品", "宣传", "乐器", "高级", "中国", "经理", "金卡", "原因", "明细", "未知", "金牌", "任务", "毛衣", "包装", "钟表", "苏州", "路由器", "关闭", "安装", "付款", "成交", "谈判")
)  # fmt: skip
_CHINESE = compile_late(r"[一-鿿㐀-䶿\U00020000-\U000323AF]{2,4}\Z")
_WITH_DOT = compile_late(r"[一-鿿]{1,12}(?:[·•・][一-鿿]{1,12}){1,3}\Z")
_LATIN = compile_late(r"(?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z][A-Za-zÀ-ſ'’.-]*(?:,? [A-Z][A-Za-zÀ-ſ'’.-]*){1,4}\Z")
_LATIN_WORD = compile_late(r"[A-Z][A-Za-zÀ-ſ'’-]{1,24}\Z")
_ORGANISATIONS = ("公司", "集团", "有限", "商行", "银行", "中心", "学校", "医院", "酒店", "部门", "客服")
#: Most names, and no organisation: as a value, and as a line of many.
_PLAIN_NAME = f"(?!{'|'.join(_ORGANISATIONS)})[{''.join(SURNAMES)}](?!(?:{'|'.join(_ORGANISATIONS)})$)[一-鿿]{{1,2}}"
_PLAIN = compile_late(f"{_PLAIN_NAME}\\Z")
_PLAIN_LINE = compile_late(f"^{_PLAIN_NAME}$", re.MULTILINE)
_NO_PERSON = compile_late(
    rf"{'|'.join(_ORGANISATIONS)}|\b(?:Inc|LLC|Ltd|Corp|Co|Bank|Company|Group|Services?|Center|University|Department|Union|Mortgage|Financial|Credit|Loan|Card|Account)\b"
)

POSITIVE = (
    ("联系人：王小芳，电话", "王小芳"),
    ("联系人王芳电话13812345678", "王芳"),
    ("我叫欧阳修文，想退货", "欧阳修文"),
    ("客户张伟明来电投诉", "张伟明"),
    ("通知李建国经理处理", "李建国"),
    ("陈栋梁，男，1965年出生", "陈栋梁"),
    ("姓名：高峰", "高峰"),
    ("参会：王志强、李娜、赵敏。", "李娜"),
    ("请王先生明天来取", "王"),
    ("订购人李女士已付款", "李"),
    ("欧阳老师的课改在周二", "欧阳"),
    ("钱主任同意延期", "钱"),
    ("彭先生毕业于一所大学", "彭"),
    ("刁秀芝女士说，尚未收到", "刁秀芝"),
    ("陳大文先生來電查詢", "陳大文"),
    ("歌手买买提·吐尔逊说，他明天来", "买买提·吐尔逊"),
    ("到机场送霍主席一行", "霍"),
    ("My name is John Smith and I", "John Smith"),
    ("I spoke to Mary O'Brien yesterday", "Mary O'Brien"),
    ("Dear Ms. Nguyen, thank you", "Nguyen"),
    ("Regards,\nPeter van der Berg", "Peter van der Berg"),
    ("my name is jane miller and i", "jane miller"),
    ("Then Gao Zhixiong agreed", "Gao Zhixiong"),
    ("bowled by C. Whitcombe", "C. Whitcombe"),
    ("Marcel Dessonly scored", "Marcel Dessonly"),
    ("Defence Minister Doug Young agreed", "Doug Young"),
    ("Faina D. Yefremova's order", "Faina D. Yefremova"),
)
NEGATIVE = (
    "今天天气很好",
    "The quick brown fox",
    "黄河和长江",
    "平安银行的经理",
    "马上联系客服",
    "江苏、安徽、云南",
    "上海市长宁区",
    "任何问题请反馈",
    "铁路局长和音乐老师",
    "2010年起，任财务总监",
    "世纪律师事务所",
    "石杜律师事务所、黄岩会计师事务所",
    "主席先生，首席法官到了",
    "北京·海淀和电影·电视",
    "湖南省长沙市长沙县",
    "周二晚表示感谢",
    "已联系安排下周发货",
    "I bank with Wells Fargo and Chase Bank",
    "In May I Will go to Paris",
    "The Grant Application and the Department of Justice",
    "an IBAN and a SWIFT code",
    "Hong Kong, Costa Rica and Sri Lanka",
    "they will miss Portugal",
    "N. Dakota and S. Carolina",
    "Green Tree and Morgan Stanley called",
    "Procter & Gamble and Johnson & Johnson",
    "Curriculum Vitae: a degree Magna Cum Laude",
)


def find(text: str) -> Iterator[Span]:
    if not text.isascii():
        yield from chinese.find(text)
    yield from western.find(text)


def is_chinese_name(value: str) -> bool:
    """Two to four characters beginning with a surname (compound ones too), or a transcribed name with dots."""
    if _PLAIN.match(value):
        return value not in _WORDS
    if _CHINESE.match(value):
        long_enough = value[:2] in COMPOUND_SURNAMES and len(value) > 2
        return (
            value not in _WORDS
            and (long_enough or (value[0] in SURNAMES and len(value) <= 4))
            and not _NO_PERSON.search(value)
        )
    return _WITH_DOT.match(value) is not None


def plain_chinese_names(values: Sequence[str]) -> set[str]:
    """Those of many values that are names of the plainest form; `is_chinese_name` holds for others too."""
    text = "\n".join(values)
    if text.count("\n") >= len(values):
        return set()  # a value has lines itself
    return {*_PLAIN_LINE.findall(text)} - _WORDS


def is_name(value: str, *, single_word: bool = False) -> bool:
    """True for a Chinese name, or a Latin one of two to five capitalised words (`single_word`: also one)."""
    value = value.strip()
    if is_chinese_name(value):
        return True
    if _NO_PERSON.search(value) or (value.isupper() and len(value) < 5):
        return False
    return bool(_LATIN.match(value) or (single_word and _LATIN_WORD.match(value)))
