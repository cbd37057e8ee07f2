"""Postal addresses down to the house, in Chinese and in the styles of North America and Europe (`addresses`).

A district or a city alone is no hit: that is what an address is generalised to. Necessary for a hit: a digit, a street corner
(“corner of”), or one of the characters of `addresses.chinese` (路, 村, 号, …) or 址.
"""

from collections.abc import Iterator

from handover.detection.addresses import chinese, western
from handover.detection.addresses.chinese import district, has_detail
from handover.detection.spans import Span

__all__ = ["KIND", "LEVEL", "NEGATIVE", "POSITIVE", "VERSION", "WINDOW", "district", "find", "has_detail"]

KIND, LEVEL, VERSION, WINDOW = "address", "L3", 5, "whole"

POSITIVE = (
    ("寄到上海市浦东新区张江路123弄4号502室，谢谢", "上海市浦东新区张江路123弄4号502室"),
    ("客户住在江苏省南京市鼓楼区中山北路88号", "江苏省南京市鼓楼区中山北路88号"),
    ("他搬到朝阳区建国路93号院了", "朝阳区建国路93号院"),
    ("地址是北京市昌平区南口镇居庸关村。", "北京市昌平区南口镇居庸关村"),
    ("它的地址在朝阳区大屯路慧忠北里309号楼A座，电话", "朝阳区大屯路慧忠北里309号楼A座"),
    ("北京市东城区前门大街甲2号。", "北京市东城区前门大街甲2号"),
    ("浙江省杭州市西湖区文三路123号5幢302室", "浙江省杭州市西湖区文三路123号5幢302室"),
    ("湖北咸宁通山县洪港镇洪港村三组", "湖北咸宁通山县洪港镇洪港村三组"),
    ("寄到浙江省 杭州市 富阳区 鹿山街道 陆家村12号", "浙江省 杭州市 富阳区 鹿山街道 陆家村12号"),
    ("香港九龙油尖旺区尖沙咀宝勒巷18号", "香港九龙油尖旺区尖沙咀宝勒巷18号"),
    ("台湾台北市大安区敦化南路二段238号。", "台湾台北市大安区敦化南路二段238号"),
    ("金祝花园5幢302室", "金祝花园5幢302室"),
    ("她现在住翠屏路88。", "翠屏路88"),
    ("请送云栖水岸42幢902，谢谢", "云栖水岸42幢902"),
    ("我家住在东湖花城9-3-1665，麻烦快点", "东湖花城9-3-1665"),
    ("寄到广东省佛山市顺德区碧波湾，急", "广东省佛山市顺德区碧波湾"),
    ("柳浪路12号青禾贸易有限公司，收件人不详", "柳浪路12号青禾贸易有限公司"),
    ("谢家湾镇石桥村三组永丰南路十四号百货超市旁边", "谢家湾镇石桥村三组永丰南路十四号百货超市旁边"),
    ("新都镇凤都二路1424", "新都镇凤都二路1424"),
    ("柯北市场d区745号", "柯北市场d区745号"),
    ("寄到香港九龍彌敦道132號美麗華大廈12樓，謝謝", "香港九龍彌敦道132號美麗華大廈12樓"),
    ("住北环路供电局家属院3号楼东单元二楼西户，谢谢", "北环路供电局家属院3号楼东单元二楼西户"),
    ("at The Old Rectory, Church Lane, Marlborough SN8 3JP.", "The Old Rectory, Church Lane, Marlborough SN8 3JP"),
    (
        "Asha Rao, Plot No. 88, Banjara Hills, Hyderabad 500034, Telangana",
        "Plot No. 88, Banjara Hills, Hyderabad 500034, Telangana",
    ),
    ("412 Ang Mo Kio Ave 10 #07-1021, Singapore 560412", "412 Ang Mo Kio Ave 10 #07-1021, Singapore 560412"),
    ("to Flat 12B, Block 3, Taikoo Shing, Hong Kong", "Flat 12B, Block 3, Taikoo Shing, Hong Kong"),
    ("habite au 7 impasse des Lilas, 31000 Toulouse", "7 impasse des Lilas, 31000 Toulouse"),
    ("Wohnhaft Hauptstraße 5, 10115 Berlin.", "Hauptstraße 5, 10115 Berlin"),
    ("livre au 12 rue de la Paix, 75002 Paris.", "12 rue de la Paix, 75002 Paris"),
    ("Send it to P.O. Box 1234, Austin, TX 78701.", "P.O. Box 1234, Austin, TX 78701"),
    ("Send to Flat 2, 14 High Street, Oxford OX1 4AB", "Flat 2, 14 High Street, Oxford OX1 4AB"),
    ("we meet at Flat B, 12/F, 39 Wellington Street", "Flat B, 12/F, 39 Wellington Street"),
    ("5th Floor, 88 Wood Street, London EC2V 7RS", "5th Floor, 88 Wood Street, London EC2V 7RS"),
    ("I live at 27 Koskirinne 8, Vantaa", "27 Koskirinne 8, Vantaa"),
    ("10 Downing Street, London SW1A 2AA", "10 Downing Street, London SW1A 2AA"),
    ("24 Sussex Dr\nOttawa, ON K1M 1M4", "24 Sussex Dr\nOttawa, ON K1M 1M4"),
    ("I live at 221 Baker Street, Springfield, IL 62704 now", "221 Baker Street, Springfield, IL 62704"),
)
NEGATIVE = (
    "寄回地址广东省深圳市福田区",
    "地址在哪里呢",
    "上海市浦东新区",
    "1号方案",
    "我在路上",
    "第3号文件",
    "5 Star Service",
    "地址不对，请修改",
    "地址是什么",
    "有地址吗",
    "北京市海淀区人民法院",
    "上海市",
    "浙江杭州",
    "Blue Shirts, Green Socks, Order 123456",
    "Goldman Sachs, Morgan Stanley, Hong Kong",
    "西户型和东单元都有",
    "under 15 USC 1692 and 12 CFR 1024",
    "公交线路329。",
    "发货在路上，花园2025-01-31开放",
    "比分3-2结束",
    "1号楼已封顶",
    "在小区2-3天内",
    "on 5 January 2015 In Paris",
    "In 2008 The Supreme Court",
    "Northport 2 Easton 2",
    "207 Cliff White 70 70 67",
)


def find(text: str) -> Iterator[Span]:
    if not text.isascii():
        yield from chinese.find(text)
    yield from western.find(text)
