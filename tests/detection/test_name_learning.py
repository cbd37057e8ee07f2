"""Names learnt on the first pass: by the model or by rules, within a budget, in the sandbox; the report says how."""

from pathlib import Path

import pytest

from handover.detection import inspect_isolated
from handover.detection.inspection import survey_of
from handover.detection.known import KnownValues
from handover.detection.names import learning, model
from handover.detection.names.learning import NameLearner
from handover.formats import open_records

needs_model = pytest.mark.skipif(not model.is_installed(), reason="the extra handover[names] is not installed")
TEXT = "昨天下午，赵晓燕和助理去仓库清点。\n后来罗启明打开了三号门，赵晓燕在门外等。\n"


def _learnt(*values: str) -> tuple[NameLearner, KnownValues]:
    known = KnownValues()
    learner = NameLearner(known)
    learner.read(values)
    learner.finish()
    return learner, known


def _found(known: KnownValues, text: str) -> list[str]:
    return [text[span.start : span.end] for span in known.find(text)]


@needs_model
def test_the_model_learns_names_without_a_cue() -> None:
    learner, known = _learnt(TEXT)
    assert learner.method == "model"
    assert learner.limits() == []
    assert _found(known, "罗启明的订单由赵晓燕处理") == ["罗启明", "赵晓燕"]


def test_without_the_model_names_behind_a_cue_are_learnt_and_the_report_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    learner, known = _learnt("联系人：罗启明，请在周五前回复。")
    assert learner.method == "rules"
    assert "handover[names]" in learner.limits()[0].en
    assert _found(known, "后来罗启明又打来") == ["罗启明"]


def test_what_is_beyond_the_budget_is_not_read_and_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MAX_CHARACTERS", 20)
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    learner, known = _learnt("这一句话里没有任何人，但是已经超过了二十个字。", "联系人：罗启明，请在周五前回复。")
    assert learner.is_full
    assert _found(known, "罗启明") == []
    monkeypatch.setattr(learning, "is_installed", lambda: True)
    assert learner.method == "partly"
    assert "characters" in learner.limits()[0].en


def test_a_word_that_is_mostly_no_name_is_not_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    monkeypatch.setattr(NameLearner, "_by_rules", lambda _: iter(["白云"]))
    _, known = _learnt("白云飘过山顶，白云又飘回来，白云真白。")
    assert _found(known, "白云") == []


def test_columns_of_codes_and_english_text_need_no_model() -> None:
    learner, _ = _learnt("Nothing Chinese here at all", "A-100", "北京")
    assert learner.method is None
    assert learner.limits() == []


def test_a_name_learnt_in_the_last_record_is_found_in_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    content = "后来罗启明又打来一次电话。\n联系人：罗启明，请在周五前回复。\n".encode()
    reading = open_records(iter([content]), "a.txt")
    survey = survey_of(reading)
    field = next(iter(survey.fields))
    values = ["后来罗启明又打来一次。"]
    assert [s.kind for s in survey.column_scan(field).find(values)[0]] == ["person_name"]


@needs_model
def test_the_model_runs_in_the_sandbox(tmp_path: Path) -> None:
    report = inspect_isolated(lambda: iter([TEXT.encode()]), "a.txt", key=b"k" * 32)
    assert report.blocked is None
    assert report.names == "model"
    assert report.kinds()["person_name"] == 3


def test_sentences_that_differ_in_codes_and_latin_words_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    learner, _ = _learnt("税号91AB请开票给Acme", "税号77QX请开票给Initech")
    assert learner.characters == len("税号91AB请开票给Acme")


def test_a_surname_stands_alone_once_the_whole_name_was_met() -> None:
    text = "Later Whitcombe signed, and Mr Whitcombe's lawyer too. Whitcombe & Sons did not, nor Whitcombe Bank."
    _, unknown = _learnt(text)
    _, known = _learnt("It was John Whitcombe who called.", text)
    assert _found(unknown, text) == []
    assert _found(known, text) == ["Whitcombe", "Whitcombe"]


def test_a_surname_that_is_a_word_or_a_place_is_not_looked_for_alone() -> None:
    _, known = _learnt("John Young met Mary Boston.")
    assert _found(known, "Young people went to Boston.") == []


def test_where_sentences_repeat_themselves_the_model_stops_and_the_report_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "is_installed", lambda: False)
    monkeypatch.setattr(learning, "_STRETCH", 400)
    monkeypatch.setattr(learning, "_NEW", 100)
    learner, _ = _learnt(
        *(f"联系人：{a}{b}，设备运行正常，无需处理" for a in "王李张刘陈杨赵黄" for b in "强敏静磊洋艳杰娟")
    )
    assert learner.is_full
    monkeypatch.setattr(learning, "is_installed", lambda: True)
    assert "repeat" in learner.limits()[0].en


def test_of_a_sentence_that_was_met_only_the_clause_that_differs_is_read_with_its_neighbours() -> None:
    learner = NameLearner(KnownValues())
    learner.read(
        ["客户甲，货物已经送到，包装完好，感谢支持，下次再来。", "客户乙，货物已经送到，包装完好，感谢支持，下次再来。"]
    )
    assert learner._waiting == [
        "客户甲，货物已经送到，包装完好，感谢支持，下次再来。",
        "客户乙，货物已经送到",
    ]
