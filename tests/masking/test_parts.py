"""A file redacted in parts is, one part behind the other, the file redacted in one piece."""

import pytest

from handover.masking import FieldRule, Policy, default_policy, redact_isolated

pytestmark = pytest.mark.usefixtures("without_children")
KEY = b"k" * 32
ROWS = [
    f"C{n:05},张三丰,1381234{n % 9000:04},{'张三丰来电，手机13912345678' if n % 3 else '好'}\n" for n in range(9_000)
]
TABLE = "客户编号,姓名,手机号,备注\n" + "".join(ROWS)
#: Large enough for the compiled way, and for three of its blocks; a stray quote makes what follows it unreadable by blocks.
WIDE = [f"C{n:05},张三丰,1381234{n:04},张三丰来电{'-' * 600}\n" for n in range(9000)]
FILES = {
    "large.csv": "".join(["客户编号,姓名,手机号,备注\n", *WIDE]).encode(),
    "torn.csv": "".join(["客户编号,姓名,手机号,备注\n", *WIDE[:5000], 'C1,张三丰,5" 屏幕,好\n', *WIDE[5000:]]).encode(),
    "a.csv": TABLE.encode(),
    "small.csv": TABLE[:300].encode(),
    "no_header.csv": "".join(ROWS).encode(),
    "a.txt": "".join(ROWS).rstrip("\n").encode(),
    "a.jsonl": "".join(f'{{"手机":"1381234{n % 9000:04}","备注":"张三丰先生来电"}}\n' for n in range(9000)).encode(),
}


@pytest.mark.parametrize(("name", "of"), [*((name, 2) for name in FILES), ("a.csv", 3), ("small.csv", 3)])
def test_parts_together_are_the_whole(name: str, of: int) -> None:
    policy = Policy(kinds=default_policy().kinds, fields={"客户编号": FieldRule("pseudonymise", "customer_id")})
    outputs, samples, reports = [], [], []
    for part in [(0, 1), *((number, of) for number in range(of))]:
        output, sample = list[bytes](), list[bytes]()
        reports.append(
            redact_isolated(
                lambda: [FILES[name]],
                name,
                policy,
                KEY,
                sink=output.append,
                samples=40,
                on_sample=sample.append,
                part=part,
            )
        )
        outputs.append(b"".join(output))
        samples.append(sample)
    assert b"".join(outputs[1:]) == outputs[0]
    assert [line for sample in samples[1:] for line in sample] == samples[0]
    assert sum(report.records_in for report in reports[1:]) == reports[0].records_in
    assert sum(sum(f.kinds.values()) for report in reports[1:] for f in report.fields) == sum(
        sum(f.kinds.values()) for f in reports[0].fields
    )
