"""The roles of the product (design: roles and separation of duties), each with its name in both languages."""

from handover.i18n import Text

ROLES: dict[str, Text] = {
    "platform_admin": Text("平台管理员", "platform administrator"),
    "consultant": Text("转让顾问", "transfer consultant"),
    "lead_consultant": Text("主办顾问", "lead consultant"),
    "legal": Text("法务", "legal counsel"),
    "dpo": Text("个人信息保护负责人", "data protection officer"),
    "custodian": Text("记录管理专人", "records custodian"),
    "security_officer": Text("安全负责人", "security officer"),
    "seller_admin": Text("转让方经办人", "seller's administrator"),
    "seller_signatory": Text("转让方签署人", "seller's signatory"),
    "buyer_admin": Text("受让方经办人", "buyer's administrator"),
    "buyer_signatory": Text("受让方签署人", "buyer's signatory"),
    "recipient": Text("数据接收人", "recipient"),
    "auditor": Text("审计员", "auditor"),
    "destruction_executor": Text("销毁执行人", "destruction executor"),
    "witness": Text("监销人", "destruction witness"),
    "system": Text("系统", "system"),
}


def role_text(role: str) -> Text:
    """The role's name for people; an unknown one is shown as it is."""
    return ROLES.get(role, Text(role, role))
