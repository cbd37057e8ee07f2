"""What a field's header says that it holds. A header proposes; the values decide (`survey`)."""

import re

_PERSON = r"姓名|名字|联系人|客户名$|客户名称$|收件人|收货人|法定代表人|法人代表|负责人|经办人|签收人|投诉人|监护人|家长|申请人|持卡人|户名|被保险人|投保人"
#: Role and header pattern, first match wins; matched against the lower-case header with `_`, `-` and spaces as `_`.
_ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("credential", re.compile(r"密码|口令|验证码|密钥|password|passwd|(?:^|_)pwd|passcode|(?:^|_)(?:secret|token|api_?key|cvv|pin)(?:$|_)")),
    ("resident_id", re.compile(r"身份证|证件号|公民身份|id_?card|identity_?(?:no|num|card)|national_?id|resident_?id|(?:^|_)idno(?:$|_)")),
    ("passport", re.compile(r"护照|passport")),
    ("travel_permit", re.compile(r"通行证|回乡证|台胞证|travel_permit")),
    ("vin", re.compile(r"车架号|车辆识别|(?:^|_)vin(?:$|_)")),
    ("imei", re.compile(r"(?:^|_)imei|串号")),
    ("gps", re.compile(r"经度|纬度|坐标|(?:^|_)(?:lat|lon|lng|latitude|longitude|gps)(?:$|_)")),
    ("us_ssn", re.compile(r"(?:^|_)ssn(?:$|_)|social_security")),
    ("bank_card", re.compile(r"银行卡|卡号|银行账[号户]|bank_?card|card_?(?:no|num)|(?:bank_?)?account_?(?:no|num)")),
    ("email", re.compile(r"邮箱|邮件地址|电子邮件|e_?mail")),
    ("wechat", re.compile(r"微信|wechat|weixin|wxid")),
    ("qq", re.compile(r"(?:^|_)qq")),
    ("telephone", re.compile(r"手机|电话|联系方式|移动号码|座机|传真|phone|mobile|(?:^|_)(?:tel|cell|fax)(?:$|_|no|num)")),
    ("birth_date", re.compile(r"出生|生日|birth|(?:^|_)dob(?:$|_)")),
    ("ip", re.compile(r"(?:^|_)ip(?:$|_)|ip地址|ip_?addr")),
    ("address", re.compile(r"地址|住址|住所|户籍|address|(?:^|_)(?:addr|street)(?:$|_)")),
    ("health", re.compile(r"诊断|病史|病情|疾病|症状|用药|过敏|健康状况|diagnos|disease|medical|allerg|medication|health_condition")),
    ("religion", re.compile(r"宗教|信仰|religion|faith")),
    ("criminal", re.compile(r"犯罪|前科|criminal")),
    ("credit", re.compile(r"征信|信用(?:分|评分|记录|等级)|credit_?(?:score|history|rating)")),
    ("customer_id", re.compile(r"(?:客户|用户|会员|顾客|个人|主体)_?(?:编号|代码|号|id|标识|引用)|(?:customer|client|user|member|cust|subject|person|data_?subject)_?(?:id|no|num|number|code|key|ref|reference)$|^(?:uid|cid)$")),
    ("person_name", re.compile(rf"{_PERSON}|^(?:full_?|first_?|last_?|middle_?|given_?|family_?|sur|customer_?|client_?|contact_?|person_?|recipient_?|holder_?|cardholder_?|user_?|real_?|patient_?|member_?|applicant_?|nick)*name$|^(?:contact|customer|client|cardholder|recipient|agent|complainant)(?:_person)?$")),
    ("order", re.compile(r"订单|单号|流水|运单|工单|凭证|发票|交易号|案号|编号|序号|order|tracking|invoice|serial|waybill|ticket|transaction_?id|case_?(?:no|id)|(?:^|_)id$|(?:^|_)(?:no|num|number|code|sku|uuid)$|zip|邮编|postal")),
    ("amount", re.compile(r"金额|价格|余额|费用|总价|收入|工资|amount|price|balance|total|income|salary|fee(?:$|_)|cost")),
)  # fmt: skip
_JOINTS = re.compile(r"[\s\-./]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Headers that hold names, but not of persons.
_NOT_PERSON = re.compile(
    r"公司|企业|商品|产品|文件|项目|店铺|company|product|file|store|merchant|brand|domain|host|user_?name|login"
)


def role_of_header(field: str) -> str:
    """The role that a header proposes; empty when it says nothing. JSON paths and sheets count by their last part."""
    last = field.rpartition("!")[2].removesuffix("[]").rpartition(".")[2]
    label = _JOINTS.sub("_", _CAMEL.sub("_", last).strip()).lower()
    for role, pattern in _ROLES:
        if pattern.search(label) and not (role == "person_name" and _NOT_PERSON.search(label)):
            return role
    return ""


def is_single_word_name(field: str) -> bool:
    """True for fields that hold one part of a name (`first_name`), where a single word is plausible."""
    return re.search(r"first|last|middle|given|family|sur|nick|name|contact|customer|client", field.lower()) is not None
