"""What an inviter pastes into a chat: the link with how to open it, in both languages, and never the code."""

from handover.accounts.people import Invited
from handover.i18n import Text


def invitation_text(invited: Invited, minutes: int) -> Text:
    """The message that carries the link."""
    return Text(
        zh=(
            f"您好！请打开此链接开通您的账户（{minutes} 分钟内有效，只能使用一次）：\n{invited.link}\n"
            "如在微信中打开，请点右上角“···”，选择“在浏览器打开”；也可复制到电脑浏览器中打开。\n"
            "页面会要求输入八位安全码，我将另行通过电话告知，请勿在此聊天中索要或发送。"
        ),
        en=(
            f"Hello! Please open this link to set up your account (it works once, within {minutes} minutes):\n"
            f"{invited.link}\n"
            "In WeChat, tap “···” at the top right and choose “Open in browser”, or copy it into a computer's browser.\n"
            "The page asks for a code of eight digits, which I will tell you on the telephone; never send it in this chat."
        ),
    )
