"""What stands around a number decides what it is: order and tracking numbers are not telephone or card numbers."""

import re

#: Boundaries by ASCII classes: for `\\b` 汉字 are word characters, and 电话138… would have none.
BEFORE = r"(?<![0-9A-Za-z_])(?<![0-9][.\-])"
AFTER = r"(?![0-9A-Za-z_])(?![.\-][0-9])"

_REACH = 16
_ORDER_CUE = re.compile(
    # What a cue begins with, so that other places are passed over at once.
    r"(?=[订单工运快流凭发序批货合票案版金编otiswvrc])(?:订单|单号|工单|运单|快递|流水|凭证|发票|序列|批次|货号|合同|票据|案号|版本|金额|编号"
    r"|order|tracking|invoice|serial|waybill|ticket|txn|transaction|version|\bref|\bsn\b|case)"
    r"[^0-9\x00\n，。；,;]{0,8}\Z",
    re.IGNORECASE,
)


def after_order_cue(text: str, start: int) -> bool:
    """True when the number at `start` is introduced as an order, tracking or similar number."""
    return _ORDER_CUE.search(text, max(0, start - _REACH), start) is not None
