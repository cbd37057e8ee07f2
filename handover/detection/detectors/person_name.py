"""Which values are names of natural persons. Columns are found by header and by these forms.

In running text only names known from columns are searched (`known`); unknown names there need a recogniser that is not part of
this.
"""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "person_name", "L3", 1, "whole"

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉骆瞿阎鲍管卜蔺房屈缪干解应宗宣费廉岑臧计伏谈茅路娄危支柴卓明"
    "闵席麻强封项祁池游岩连牟扈边仇全桑车苟党查巫麦冷辛敖阳丛凤艾郎佟粟初虞景胥奚郁荆楼时邬候占桂储满由来甄晏商佘沙窦隋褚喻蒲冼宫褚战巩靳蓝邝滕苑咸籍尤华丘衣和乐平原伊"
)
COMPOUND_SURNAMES = frozenset(
    (
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "司徒",
        "夏侯",
        "端木",
        "长孙",
        "宇文",
        "独孤",
        "南宫",
        "西门",
        "澹台",
        "申屠",
    )
)
#: Words that begin with a surname's character; a name column would not hold them, a product column does.
_WORDS = frozenset(
    ("高兴", "方便", "安全", "时间", "平安", "明天", "全部", "成功", "平台", "华为", "和平", "金额", "文件", "方案", "石油", "马上", "江苏", "云南", "海南", "河南", "湖南", "安徽", "温州", "常州", "广州",
     "白色", "黄色", "蓝色", "向前", "关于", "单位", "解决", "费用", "管理", "房屋", "应用", "计划", "车辆", "项目", "全国", "连接", "时候", "商品", "宣传", "乐器", "高级", "中国", "经理", "金卡", "原因", "明细", "未知", "金牌", "任务", "毛衣", "包装", "钟表", "苏州", "路由器", "关闭", "安装", "付款", "成交", "谈判")
)  # fmt: skip
_CHINESE = re.compile(r"[一-鿿㐀-䶿\U00020000-\U000323AF]{2,4}\Z")
_WITH_DOT = re.compile(r"[一-鿿]{1,12}(?:[·•・][一-鿿]{1,12}){1,3}\Z")
_LATIN = re.compile(r"(?:(?:Mr|Mrs|Ms|Dr)\.? )?[A-Z][A-Za-zÀ-ſ'’.-]*(?:,? [A-Z][A-Za-zÀ-ſ'’.-]*){1,4}\Z")
_LATIN_WORD = re.compile(r"[A-Z][A-Za-zÀ-ſ'’-]{1,24}\Z")
_NO_PERSON = re.compile(
    r"公司|集团|有限|商行|银行|中心|学校|医院|酒店|部门|客服|\b(?:Inc|LLC|Ltd|Corp|Co|Bank|Company|Group|Services?|Center|University|Department|Union|Mortgage|Financial|Credit|Loan|Card|Account)\b"
)

POSITIVE = ()
NEGATIVE = ("今天天气很好", "The quick brown fox")


def find(text: str) -> Iterator[Span]:  # noqa: ARG001 - the detectors' common form
    """Nothing: without a dictionary of known names any two characters could be one."""
    return iter(())


def is_chinese_name(value: str) -> bool:
    """Two to four characters beginning with a surname (compound ones too), or a transcribed name with dots."""
    if _CHINESE.match(value):
        long_enough = value[:2] in COMPOUND_SURNAMES and len(value) > 2
        return (
            value not in _WORDS
            and (long_enough or (value[0] in SURNAMES and len(value) <= 4))
            and not _NO_PERSON.search(value)
        )
    return _WITH_DOT.match(value) is not None


def is_name(value: str, *, single_word: bool = False) -> bool:
    """True for a Chinese name, or a Latin one of two to five capitalised words (`single_word`: also one)."""
    value = value.strip()
    if is_chinese_name(value):
        return True
    if _NO_PERSON.search(value) or (value.isupper() and len(value) < 5):
        return False
    return bool(_LATIN.match(value) or (single_word and _LATIN_WORD.match(value)))
