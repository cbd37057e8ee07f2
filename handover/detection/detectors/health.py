"""Medical conditions and treatment by a small dictionary (PIPL art. 28; GB/T 45574 appendix A)."""

from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import find_terms

KIND, LEVEL, VERSION, WINDOW = "health", "L4", 2, "whole"

TERMS = (
    "糖尿病", "高血压", "心脏病", "冠心病", "癌症", "肿瘤", "白血病", "艾滋病", "乙肝", "肝炎", "肺结核", "抑郁症", "精神分裂",
    "焦虑症", "癫痫", "哮喘", "尿毒症", "脑梗", "怀孕", "流产", "化疗", "透析", "病历", "确诊", "胰岛素",
    "diagnosed with", "diabetes", "diabetic", "cancer", "chemotherapy", "hiv", "hepatitis", "epilepsy", "schizophrenia",
    "bipolar disorder", "pregnant", "miscarriage", "dialysis", "leukemia", "tuberculosis", "heart attack", "insulin",
    "asthma", "depression", "had a stroke", "suffered a stroke", "alzheimer", "parkinson", "multiple sclerosis", "kidney failure",
    "过敏", "新冠阳性", "核酸阳性", "搭桥手术", "支架手术", "肾衰", "帕金森", "老年痴呆", "中风", "骨折", "残疾",
)  # fmt: skip

POSITIVE = (
    ("对青霉素过敏", "过敏"),
    ("he suffers from asthma", "asthma"),
    ("客户患有糖尿病多年", "糖尿病"),
    ("She was pregnant at the time", "pregnant"),
)
NEGATIVE = ("客户服务很好", "cancellation of the order", "hive of activity")


def find(text: str) -> Iterator[Span]:
    for start, end in find_terms(text, TERMS):
        yield Span(start, end, KIND, 0.8)
